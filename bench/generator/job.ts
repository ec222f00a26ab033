/** What the generator is asked to do, and what it answers. */
import type { DialectName } from "./dialect.ts";

export interface Job {
  /** Clients are spread over them in turn; the senders are on the first. */
  readonly ports: readonly number[];
  readonly dialect: DialectName;
  readonly token: string;
  readonly room: string;
  readonly clients: number;
  /** That many of the clients stop reading once they have joined; what is sent to them counts for nothing. */
  readonly slow?: number;
  readonly bodyBytes: number;
  readonly load: ClosedLoad | OpenLoad;
  /** Servers whose CPU is counted over the timed part. */
  readonly pids: readonly number[];
  readonly warmUpMs: number;
  readonly timedMs: number;
}

/** The next message is sent when one has reached every client: as fast as the server can. */
export interface ClosedLoad {
  readonly kind: "closed";
  readonly inFlight: number;
}

/** Messages are sent at set times, whatever became of the ones before; latency counts from those times. */
export interface OpenLoad {
  readonly kind: "open";
  readonly perSecond: number;
}

export interface Outcome {
  readonly messages: number;
  readonly deliveries: number;
  readonly timedMs: number;
  /** Deliveries that never came, came twice, or came out of order. */
  readonly lost: number;
  readonly doubled: number;
  readonly misordered: number;
  readonly bytesPerDelivery: number;
  /** Of one core. */
  readonly generatorShare: number;
  /** Microseconds of CPU in the timed part, by the order of `pids`. */
  readonly cpuUs: readonly number[];
  /** Resident memory of all of `pids`: its peak in the timed part over its beginning. */
  readonly rssGrownBytes: number;
  /** Of those that stopped reading: closed by the server. */
  readonly slowClosed: number;
  /** Send to receive, in ms; only of an open load. */
  readonly latency?: { readonly p50: number; readonly p99: number; readonly max: number };
}
