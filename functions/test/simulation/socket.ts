/** One WebSocket between a simulated client and a node: frames in order, a byte bound, heartbeats, cuts, and silence without a cut. */
import type { Frame } from "../../core/frame.ts";
import type { Session } from "../../core/session.ts";
import type { Transport } from "../../core/transport.ts";
import type { ClientFrame, CloseReason, ServerFrame } from "../../protocol.ts";
import type { Host } from "./host.ts";

export interface SocketEnd {
  readonly host: Host;
  /** `sentMs`: when the node sent it. */
  receive(frame: ServerFrame, sentMs: number, text: string): void;
  /** With what the node closed it; 1006 where the connection broke. */
  closed(code: number, reason: string): void;
}

interface Sent {
  readonly frame: Frame;
  readonly atMs: number;
}

export interface SocketOptions {
  readonly client: SocketEnd;
  readonly node: Host;
  readonly open: (transport: Transport) => Session;
  readonly end: (session: Session) => void;
  readonly latencyMs: () => number;
  readonly bufferLengthMax: number;
  readonly heartbeatMs: number;
}

/** One who does not read the close is cut off. */
const CLOSE_GRACE_MS = 2_000;

/** Each frame is parsed once, as it is encoded once, for all who hear it; pages too, though each member's has a text of its own. */
let last: { readonly text: string; readonly frame: ServerFrame } | undefined;

export class Socket implements Transport {
  readonly #options: SocketOptions;
  readonly #session: Session;
  #queue: Sent[] = [];
  #length = 0;
  #isPumping = false;
  #closing: { readonly code: number; readonly reason: string } | undefined;
  #isOver = false;
  #unanswered = 0;
  #lastArrivalMs = 0;
  /** The client does not read. */
  isStuck = false;
  /** Nothing gets through any more, and nobody is told. */
  isSilent = false;
  /** When the client last heard anything, heartbeats included. */
  heardMs: number;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.heardMs = options.client.host.elapsed();
    this.#session = options.open(this);
    options.node.onDeath(() => this.#closeClient());
    options.client.host.onDeath(() => this.cut());
    this.#beat();
  }

  send(frame: Frame): void {
    if (this.#closing || this.#isOver) return;
    this.#queue.push({ frame, atMs: this.#options.node.elapsed() });
    this.#length += frame.text.length;
    if (this.#length > this.#options.bufferLengthMax) return this.#endBy("slow_client");
    this.#pump();
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = { code, reason };
    if (reason === "slow_client") this.#queue = [];
    const { node, end, latencyMs } = this.#options;
    this.#pump();
    node.after(3 * latencyMs(), () => end(this.#session));
    node.after(CLOSE_GRACE_MS, () => this.#closeClient(this.#closing));
  }

  /** From the client. */
  transmit(frame: ClientFrame): void {
    this.transmitText(JSON.stringify(frame));
  }

  transmitText(text: string): void {
    if (this.#isOver || this.isSilent) return;
    const { client, node, latencyMs } = this.#options;
    const nowMs = client.host.elapsed();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + latencyMs());
    node.after(this.#lastArrivalMs - nowMs, () => {
      if (!this.isSilent) this.#session.receive(text);
    });
  }

  /** The connection breaks; both ends learn of it, unless the silence swallows that too. Half of what was under way has arrived. */
  cut(): void {
    const { node, end, latencyMs } = this.#options;
    if (!this.#isOver && !this.isSilent && !this.isStuck)
      this.#deliver(this.#queue.splice(0, Math.ceil(this.#queue.length / 2)));
    if (!this.isSilent) node.after(latencyMs(), () => end(this.#session));
    this.isSilent = false; // its own end it knows
    this.#closeClient();
  }

  unstick(): void {
    this.isStuck = false;
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping || this.isStuck || this.isSilent || this.#isOver) return;
    this.#isPumping = true;
    const { client, latencyMs } = this.#options;
    client.host.after(latencyMs(), () => {
      this.#isPumping = false;
      if (this.#isOver || this.isSilent || this.isStuck) return;
      this.#length = 0;
      this.#deliver(this.#queue.splice(0));
      if (this.#closing) this.#closeClient(this.#closing);
    });
  }

  #deliver(frames: readonly Sent[]): void {
    const { client } = this.#options;
    this.heardMs = client.host.elapsed();
    for (const { frame, atMs } of frames) client.receive(parse(frame), atMs, frame.text);
  }

  #beat(): void {
    const { node, client, heartbeatMs } = this.#options;
    node.after(heartbeatMs, () => {
      if (this.#isOver || this.#session.hasEnded) return;
      if (this.isSilent || this.isStuck) this.#unanswered++;
      else {
        this.#unanswered = 0;
        this.heardMs = client.host.elapsed();
      }
      if (this.#unanswered > 2) return this.#endBy("heartbeat_lost");
      this.#beat();
    });
  }

  #endBy(reason: CloseReason): void {
    this.#session.close(reason);
  }

  #closeClient({ code, reason } = { code: 1006, reason: "" }): void {
    if (this.#isOver || this.isSilent) return;
    this.#isOver = true;
    const { client, latencyMs } = this.#options;
    client.host.after(latencyMs(), () => client.closed(code, reason));
  }
}

function parse({ text }: Frame): ServerFrame {
  if (last?.text !== text) last = { text, frame: JSON.parse(text) as ServerFrame };
  return last.frame;
}
