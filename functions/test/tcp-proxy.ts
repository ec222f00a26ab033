/** A TCP proxy that can fail as networks do: fall silent, cut, refuse. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Connections that are open now stay open and carry nothing any more; new ones work. */
  silence(): void;
  /** Resets the connections that are open now. */
  cut(): void;
  close(): Promise<void>;
}

/** On 127.0.0.1. `targetPort` is asked at every connection, so that the proxy can be there before its target. */
export async function startTcpProxy(targetPort: () => number, port = 0): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(targetPort(), "127.0.0.1");
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      // What ends one side ends the other; the reason is of no interest here.
      from.on("error", () => {});
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    silence: () => {
      for (const socket of open) socket.unpipe().resume();
    },
    cut: () => {
      for (const socket of open) socket.destroy();
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
