/** Bun's native WebSocket server (uWebSockets), run by Bun: relays every text to everybody, and keeps nothing. */

interface Socket {
  subscribe(topic: string): void;
}

interface BunServer {
  publish(topic: string, text: string): void;
  upgrade(request: Request): boolean;
}

interface BunRuntime {
  serve(options: {
    port: number;
    hostname: string;
    fetch(request: Request, server: BunServer): Response | undefined;
    websocket: { open(socket: Socket): void; message(socket: Socket, text: string): void };
  }): BunServer;
}

declare const Bun: BunRuntime;

const ROOM = "room";

const server = Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  fetch: (request, own) => (own.upgrade(request) ? undefined : new Response("upgrade", { status: 426 })),
  websocket: {
    open: (socket) => socket.subscribe(ROOM),
    message: (_, text) => void server.publish(ROOM, text),
  },
});
console.log("listening");
