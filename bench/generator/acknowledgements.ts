/** One client that sends at a steady rate and times its acknowledgements, and bare round trips to Redis at the same rate before that. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { cpuUs } from "../machine.ts";
import { bodyOf, skatDialect } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import { RawClient } from "./raw-client.ts";

export interface AcknowledgementsJob {
  readonly port: number;
  readonly token: string;
  readonly room: string;
  readonly redisUrl: string;
  readonly perSecond: number;
  readonly bodyBytes: number;
  readonly warmUpMs: number;
  readonly timedMs: number;
}

export interface AcknowledgementsOutcome {
  readonly sent: Latency;
  readonly saved: Latency;
  readonly redis: Latency;
  /** Messages that were never sent, or never saved. */
  readonly lost: number;
  readonly generatorShare: number;
}

type Latency = ReturnType<Histogram["summary"]>;

const LATE_MS = 10_000;

/**
 * Times of one kind of answer, by what was asked; only of what was asked in the timed part. From the moment of asking: a timer's
 * lateness of a millisecond would be most of the figure, and nobody waits for an answer before asking again.
 */
class Waiting {
  readonly histogram = new Histogram();
  readonly #asked = new Map<string, number>();

  ask(id: string): void {
    this.#asked.set(id, performance.now());
  }

  answer(id: string, fromMs: number): void {
    const askedMs = this.#asked.get(id);
    if (askedMs === undefined) return;
    this.#asked.delete(id);
    if (askedMs >= fromMs) this.histogram.add(performance.now() - askedMs);
  }

  get left(): number {
    return this.#asked.size;
  }
}

/** Does `task` at set times, whatever became of the ones before. */
async function steadily(perSecond: number, forMs: number, task: () => void): Promise<void> {
  const startMs = performance.now();
  let done = 0;
  while (performance.now() < startMs + forMs) {
    for (; startMs + (done * 1000) / perSecond <= performance.now(); done++) {
      task();
    }
    await sleep(1);
  }
}

async function timeRedis({ redisUrl, perSecond, warmUpMs, timedMs }: AcknowledgementsJob): Promise<Latency> {
  const redis = new Redis(redisUrl);
  const waiting = new Waiting();
  let number = 0;
  const fromMs = performance.now() + warmUpMs;
  await steadily(perSecond, warmUpMs + timedMs, () => {
    const id = String(number++);
    waiting.ask(id);
    void redis.echo(id).then((echoed) => waiting.answer(String(echoed), fromMs));
  });
  await redis.quit();
  return waiting.histogram.summary();
}

async function timeMessages(job: AcknowledgementsJob): Promise<Omit<AcknowledgementsOutcome, "redis">> {
  const { port, token, room, perSecond, warmUpMs, timedMs, bodyBytes } = job;
  const [sent, saved] = [new Waiting(), new Waiting()];
  const dialect = skatDialect(room);
  const fromMs = performance.now() + warmUpMs;
  const onText = (_: RawClient, text: string): void => {
    if (text.startsWith('{"type":"event"')) return;
    const frame = JSON.parse(text) as { type: string; id?: string; ids?: string[] };
    if (frame.type === "error") throw new Error(`the node refused: ${text}`);
    if (frame.type === "sent") sent.answer(frame.id ?? "", fromMs);
    if (frame.type === "saved") for (const id of frame.ids ?? []) saved.answer(id, fromMs);
  };
  const onEnd = () => process.exit(1);
  const opening = { token, room };
  const client = new RawClient({
    host: "127.0.0.1",
    port,
    dialect,
    opening,
    onMessage: () => {},
    onEnd,
    onText,
  });
  await client.joined;
  const own = cpuUs(process.pid);
  let number = 0;
  await steadily(perSecond, warmUpMs + timedMs, () => {
    const frame = dialect.message(bodyOf(number++, bodyBytes));
    const { id } = JSON.parse(frame) as { id: string };
    sent.ask(id);
    saved.ask(id);
    client.say(frame);
  });
  const generatorShare = (cpuUs(process.pid) - own) / 1000 / (warmUpMs + timedMs);
  const endMs = performance.now() + LATE_MS;
  while (sent.left + saved.left > 0 && performance.now() < endMs) await sleep(20);
  const lost = sent.left + saved.left;
  return { sent: sent.histogram.summary(), saved: saved.histogram.summary(), lost, generatorShare };
}

const job = JSON.parse(process.argv[2] ?? "") as AcknowledgementsJob;
const redis = await timeRedis(job);
console.log(JSON.stringify({ redis, ...(await timeMessages(job)) }));
process.exit(0);
