/** What the world does to a simulated person and asks of it, whichever client it uses. */
import type { ErrorCode } from "../../protocol.ts";
import type { ClientHistory } from "../auditor.ts";
import type { Host } from "./host.ts";
import type { NodeEntry } from "./processes.ts";
import type { Random } from "./random.ts";
import type { Socket, SocketEnd } from "./socket.ts";

export interface Person extends ClientHistory {
  readonly host: Host;
  readonly socket: Socket | undefined;
  readonly isGone: boolean;
  readonly isSettled: boolean;
  readonly leftRooms: ReadonlySet<string>;
  /** `left` frames, by reason. */
  readonly departures: ReadonlyMap<string, number>;
  /** When it signed in, each time: its token holds the number of the last one. */
  readonly signInsMs: readonly number[];
  /** Of the session that it has, as far as it knows. */
  readonly token: string;
  start(): void;
  /** No more new messages. */
  quiet(): void;
  /** The network is gone; what is written meanwhile waits. */
  leave(): void;
  comeBack(): void;
  /** For ever, and its outbox with it. */
  vanish(): void;
  /** The app is killed and opened again: what it showed is gone, its outbox was on disk. */
  crash(): void;
  /** Many messages at once. */
  flood(count: number, body: string): void;
  /** Back into a room that it has left. */
  enter(room: string): void;
}

export interface PersonOptions {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly host: Host;
  readonly random: Random;
  readonly heartbeatMs: number;
  readonly messagesPerSecond: number;
  /** A socket to some node; undefined where it was refused. */
  readonly connect: (client: SocketEnd) => Socket | undefined;
  /** Some node, for a request over HTTP; undefined where none is open. */
  readonly anyNode: () => NodeEntry | undefined;
  /** Who accepted a message: told of each `sent`. */
  readonly onSent: (id: string) => void;
  /** Whether somebody took the right away for whose lack a frame is refused. */
  readonly isDenied: (room: string, code: ErrorCode) => boolean;
  readonly trace: ((line: string) => void) | undefined;
}

/** Calls `write` now and then, so often on the average, until it answers false. */
export function writeNowAndThen(
  { host, random, messagesPerSecond }: Pick<PersonOptions, "host" | "random" | "messagesPerSecond">,
  write: () => boolean,
): void {
  host.after((-Math.log(1 - random.unit()) * 1000) / messagesPerSecond, () => {
    if (write()) writeNowAndThen({ host, random, messagesPerSecond }, write);
  });
}

/** The first of its rooms more often than the others. */
export function someRoom({ random, rooms }: Pick<PersonOptions, "random" | "rooms">): string {
  return random.happens(0.6) ? (rooms[0] ?? "") : random.pick(rooms);
}
