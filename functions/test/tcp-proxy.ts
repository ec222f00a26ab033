/** A TCP proxy that can fail as networks do: fall silent, cut, slow down. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Transform, type TransformCallback } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export interface TcpProxy {
  readonly port: number;
  /** Connections that are open now stay open and carry nothing any more; new ones work. */
  silence(): void;
  /** Resets the connections that are open now. */
  cut(): void;
  /** From now on everything takes this much longer in each direction; 0 ends it. */
  slow(delayMs: number): void;
  close(): Promise<void>;
}

/** On 127.0.0.1. `targetPort` is asked at every connection, so that the proxy can be there before its target. */
export async function startTcpProxy(targetPort: () => number, port = 0): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let delayMs = 0;
  const server = createServer((client) => {
    const target = connect(targetPort(), "127.0.0.1");
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(from);
      from.pipe(new Delay(() => delayMs)).pipe(to);
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
    slow: (ms) => (delayMs = ms),
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A proxy with several targets and its own address. */
export interface Balancer extends TcpProxy {
  readonly url: string;
}

/** To each port in turn, as a load balancer without sticky sessions; one that is down is passed over by the next attempt. */
export async function startBalancer(ports: () => readonly number[]): Promise<Balancer> {
  let turn = 0;
  const proxy = await startTcpProxy(() => {
    const all = ports();
    return all[turn++ % all.length] ?? 0;
  });
  return { ...proxy, url: `http://127.0.0.1:${proxy.port}` };
}

/** Holds what passes for a time, each piece from its own arrival on, in order; without a delay it only passes on. */
class Delay extends Transform {
  readonly #delayMs: () => number;
  #held = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(delayMs: () => number) {
    super();
    this.#delayMs = delayMs;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const delayMs = this.#delayMs();
    if (delayMs === 0 && this.#held === 0) return done(null, chunk);
    this.#held++;
    this.#tail = Promise.all([this.#tail, sleep(delayMs)]).then(() => {
      this.#held--;
      this.push(chunk);
    });
    done();
  }

  override async _flush(done: TransformCallback): Promise<void> {
    await this.#tail;
    done();
  }
}
