/** The load generator, a process of its own: does one job, given as its argument, and prints the outcome. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuUs, rssBytes } from "../machine.ts";
import { bodyOf, dialectOf, type Dialect, type Opening } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import type { Job, Outcome } from "./job.ts";
import { RawClient } from "./raw-client.ts";

const CONNECTING_AT_ONCE = 50;
const LATE_MS = 10_000;
const CLOSED_MS = 3_000;

class Run {
  readonly #job: Job;
  readonly #dialect: Dialect;
  readonly #clients: RawClient[] = [];
  /** They stop reading once they have joined, and nothing is expected to reach them. */
  readonly #slow = new Set<RawClient>();
  readonly #last = new Map<RawClient, number>();
  /** Per message: the clients that lack it yet, and when it was to be sent. */
  readonly #missing: number[] = [];
  readonly #dueMs: number[] = [];
  readonly #latency = new Histogram();
  #isTimed = false;
  #isStopped = false;
  #messages = 0;
  #deliveries = 0;
  #doubled = 0;
  #misordered = 0;

  constructor(job: Job) {
    this.#job = job;
    this.#dialect = dialectOf(job.dialect, job.room);
  }

  async connect(): Promise<void> {
    const { clients, ports, token, room, slow = 0 } = this.#job;
    const dialect = this.#dialect;
    const opening: Opening = { token, room };
    while (this.#clients.length < clients) {
      const count = Math.min(CONNECTING_AT_ONCE, clients - this.#clients.length);
      const some = Array.from({ length: count }, (_, index) => {
        const port = ports[(this.#clients.length + index) % ports.length] ?? 0;
        const end = (client: RawClient) => this.#lose(client);
        const onMessage = (client: RawClient, number: number) => this.#hear(client, number);
        return new RawClient({ host: "127.0.0.1", port, dialect, opening, onMessage, onEnd: end });
      });
      this.#clients.push(...some);
      await Promise.all(some.map((client) => client.joined));
    }
    for (const client of this.#clients.splice(this.#clients.length - slow)) {
      client.pause();
      this.#slow.add(client);
    }
  }

  async load(): Promise<Outcome> {
    const { load, pids, warmUpMs, timedMs } = this.#job;
    const stop = load.kind === "closed" ? this.#closed(load.inFlight) : this.#open(load.perSecond);
    await sleep(warmUpMs);
    const memory = watchMemory(pids);
    const before = {
      cpu: pids.map(cpuUs),
      own: cpuUs(process.pid),
      atMs: performance.now(),
      bytes: this.#bytes(),
    };
    [this.#isTimed, this.#deliveries] = [true, 0];
    const first = this.#messages;
    await sleep(timedMs);
    this.#isTimed = false;
    const spentMs = performance.now() - before.atMs;
    const deliveries = this.#deliveries;
    const outcome = {
      messages: this.#messages - first,
      deliveries,
      timedMs: spentMs,
      bytesPerDelivery: (this.#bytes() - before.bytes) / deliveries,
      generatorShare: (cpuUs(process.pid) - before.own) / 1000 / spentMs,
      cpuUs: pids.map((pid, index) => cpuUs(pid) - (before.cpu[index] ?? 0)),
      rssGrownBytes: memory(),
    };
    stop();
    const lost = await this.#awaitAll();
    const latency = this.#latency.isEmpty ? {} : { latency: this.#latency.summary() };
    const slowClosed = await this.#countClosed();
    return { ...outcome, ...latency, slowClosed, lost, doubled: this.#doubled, misordered: this.#misordered };
  }

  end(): void {
    this.#isStopped = true;
    for (const client of [...this.#clients, ...this.#slow]) client.end();
  }

  #lose(client: RawClient): void {
    if (!this.#isStopped && !this.#slow.delete(client)) fail("a client was closed in the midst of the load");
  }

  /** A message that has reached everybody makes room for the next. */
  #closed(inFlight: number): () => void {
    let isOver = false;
    this.#onWhole = () => void (isOver || this.#send(performance.now()));
    for (let count = 0; count < inFlight; count++) this.#send(performance.now());
    return () => void (isOver = true);
  }

  #open(perSecond: number): () => void {
    const startMs = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      for (; startMs + (sent * 1000) / perSecond <= performance.now(); sent++) {
        this.#send(startMs + (sent * 1000) / perSecond);
      }
    }, 1);
    return () => clearInterval(timer);
  }

  #onWhole: () => void = () => {};

  #send(dueMs: number): void {
    const number = this.#messages++;
    this.#missing[number] = this.#clients.length;
    this.#dueMs[number] = dueMs;
    this.#clients[0]?.say(this.#dialect.message(bodyOf(number, this.#job.bodyBytes)));
  }

  #hear(client: RawClient, number: number): void {
    if (this.#slow.has(client)) return;
    const last = this.#last.get(client) ?? -1;
    if (number === last) this.#doubled++;
    else if (number < last) this.#misordered++;
    this.#last.set(client, number);
    this.#deliveries++;
    if (this.#isTimed && this.#job.load.kind === "open")
      this.#latency.add(performance.now() - (this.#dueMs[number] ?? 0));
    const missing = (this.#missing[number] ?? 0) - 1;
    this.#missing[number] = missing;
    if (missing === 0) this.#onWhole();
  }

  /** Deliveries that are still missing when nothing has come for a while. */
  async #awaitAll(): Promise<number> {
    const endMs = performance.now() + LATE_MS;
    const lost = () => this.#missing.reduce((sum, missing) => sum + Math.max(0, missing), 0);
    while (lost() > 0 && performance.now() < endMs) await sleep(20);
    return lost();
  }

  /** Who reads nothing does not see that it was closed. */
  async #countClosed(): Promise<number> {
    const slow = this.#slow.size;
    for (const client of this.#slow) client.resume();
    const endMs = performance.now() + CLOSED_MS;
    while (this.#slow.size > 0 && performance.now() < endMs) await sleep(20);
    return slow - this.#slow.size;
  }

  #bytes(): number {
    return this.#clients.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** Answers how much resident memory has grown at most since. */
function watchMemory(pids: readonly number[]): () => number {
  const rss = () => pids.reduce((sum, pid) => sum + rssBytes(pid), 0);
  const before = rss();
  let most = before;
  const look = () => void (most = Math.max(most, rss()));
  const timer = setInterval(look, 250);
  return () => (clearInterval(timer), look(), most - before);
}

function fail(reason: string): never {
  console.error(reason);
  process.exit(1);
}

const run = new Run(JSON.parse(process.argv[2] ?? "") as Job);
await run.connect();
const outcome = await run.load();
run.end();
console.log(JSON.stringify(outcome));
process.exit(0);
