/** One connection of Engine.IO, on whichever transport: what waits for it, what it costs beside its events, and its end. */
import type { Socket as EngineSocket } from "engine.io";
import type { Principal } from "../core/auth.ts";
import { TokenBucket } from "../core/rate.ts";
import type { Runtime } from "../core/runtime.ts";
import { EndOfTick } from "../lib/end-of-tick.ts";
import { joinFrames } from "../lib/websocket-frames.ts";
import type { Limits } from "../protocol.ts";
import type { Packet } from "./packets.ts";

export interface ConnectionOptions {
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** Bytes that may wait for one client. */
  readonly bufferBytesMax: number;
}

/** A client that does not read its last packets is cut after this. */
const CLOSE_GRACE_MS = 2_000;

/** What ws, under a transport of Engine.IO, lets one see. */
interface Wire {
  readonly socket?: { readonly bufferedAmount: number; terminate(): void };
}

/** What the dispatcher knows of a client. */
export interface Client {
  /** What it is counted by, if it is. */
  readonly address: string | undefined;
  /** Whom its cookie has proved. */
  readonly principal?: Principal | undefined;
}

/** A packet of Engine.IO; ours are encoded already. */
interface Outgoing {
  readonly data?: string;
  readonly options?: Partial<Packet["options"]>;
}

const endOfTick = new EndOfTick();

export class Connection {
  readonly client: Client;
  readonly #engine: EngineSocket;
  readonly #options: ConnectionOptions;
  readonly #bucket: TokenBucket;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
  #held: Packet[] = [];
  #heldBytes = 0;
  #isFlushing = false;
  /** Of what Engine.IO holds. */
  #waitingBytes = 0;
  #isClaimed = false;
  onSlow: () => void = () => {};
  onFlood: () => void = () => this.close();

  constructor(engine: EngineSocket, client: Client, options: ConnectionOptions) {
    const { runtime, limits } = options;
    this.client = client;
    this.#engine = engine;
    this.#options = options;
    this.#bucket = new TokenBucket(limits.framesPerSecond, limits.frameBurst, runtime.elapsed());
    this.ended = new Promise((resolve) => engine.once("close", () => resolve()));
    engine.on("packetCreate", (packet: Outgoing) => {
      if (!this.#isFlushing) this.flush(); // Socket.IO's own packets keep their place among ours
      this.#waitingBytes += lengthOf(packet);
      this.#bound();
    });
    engine.on("flush", () => (this.#waitingBytes = 0));
    engine.on("packet", ({ type, data }: { type: string; data?: unknown }) => {
      if (type !== "message" || !isEvent(data)) this.spend();
    });
  }

  /** For a session: a connection has one. */
  claim(): boolean {
    if (this.#isClaimed || this.#engine.readyState !== "open") return false;
    return (this.#isClaimed = true);
  }

  write(packet: Packet): void {
    this.#held.push(packet);
    this.#heldBytes += lengthOf(packet);
    endOfTick.add(this);
    this.#bound();
  }

  flush(): void {
    const [held, bytes] = [this.#held, this.#heldBytes];
    [this.#held, this.#heldBytes] = [[], 0];
    this.#isFlushing = true;
    for (const { text, options } of this.#joined(held, bytes)) this.#engine.write(text, options);
    this.#isFlushing = false;
  }

  /** Counts what no session counts: requests of polling, heartbeats, packets that are no events. Answers whether it was one too many. */
  spend(): boolean {
    const isFlood = this.#bucket.take(this.#options.runtime.elapsed()) > 0;
    if (isFlood) this.onFlood();
    return isFlood;
  }

  /** Sends what waits, then closes. */
  close(): void {
    this.flush();
    this.#engine.close();
    setTimeout(() => this.cut(), CLOSE_GRACE_MS).unref();
  }

  /** Drops what waits. */
  drop(): void {
    [this.#held, this.#heldBytes] = [[], 0];
    this.#engine.close(true);
    setTimeout(() => this.cut(), CLOSE_GRACE_MS).unref();
  }

  /** At once, and without a word. */
  cut(): void {
    this.#engine.close(true);
    this.#wire.socket?.terminate();
  }

  get #wire(): Wire {
    return this.#engine.transport as unknown as Wire;
  }

  /** On a WebSocket one packet that holds the frames of all: Engine.IO would write each by itself. */
  #joined(held: readonly Packet[], bytes: number): readonly Pick<Packet, "text" | "options">[] {
    if (held.length < 2 || this.#engine.transport.name !== "websocket") return held;
    const frames = held.flatMap(({ options }) => options.wsPreEncodedFrame);
    return [{ text: "", options: { compress: false, wsPreEncodedFrame: [joinFrames(frames, bytes)] } }];
  }

  #bound(): void {
    const unsentBytes = this.#heldBytes + this.#waitingBytes + (this.#wire.socket?.bufferedAmount ?? 0);
    if (unsentBytes > this.#options.bufferBytesMax) this.onSlow();
  }
}

function lengthOf({ data = "", options }: Outgoing): number {
  return options?.wsPreEncodedFrame?.[0]?.length ?? Buffer.byteLength(data);
}

/** Events are counted by their session. */
function isEvent(data: unknown): boolean {
  return typeof data === "string" && data.startsWith("2");
}
