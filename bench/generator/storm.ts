/**
 * A node dies, its clients miss some messages and all come back to the other node at once; a process of its own. A client is whole
 * when it has heard each missed message.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openCounters } from "../counters.ts";
import { cpuUs } from "../machine.ts";
import { bodyOf } from "./dialect.ts";
import { RawClient } from "./raw-client.ts";
import { SkatResuming, SocketIoResuming, type Resuming } from "./resuming.ts";

export interface StormJob {
  readonly dialect: "skat" | "socket.io";
  readonly token: string;
  readonly rooms: readonly string[];
  /** The node that dies, and the one that stays. */
  readonly ports: readonly [number, number];
  readonly pids: readonly [number, number];
  readonly death: "SIGKILL" | "SIGTERM";
  readonly clients: number;
  readonly missed: number;
  readonly redisUrl: string;
  readonly databaseUrl: string;
}

export interface StormOutcome {
  /** Of the node that stays. */
  readonly cpuUsPerClient: number;
  readonly wholeMs: number;
  readonly redisCommands: number;
  readonly postgresTransactions: number;
  /** Missed messages that never came, or came twice. */
  readonly lost: number;
  readonly doubled: number;
  /** How often a client was told to try a join again later. */
  readonly refused: number;
  readonly generatorShare: number;
}

/** Below the backlog of a listening socket, or the kernel lets some wait for a second. */
const CONNECTING_AT_ONCE = 400;
const LATE_MS = 20_000;

class Member {
  readonly heard = new Map<number, number>();
  readonly #resuming: Resuming;
  readonly #token: string;
  #client: RawClient | undefined;
  #closed: Promise<void> | undefined;
  #onHeard: () => void = () => {};

  constructor({ dialect, token, rooms }: StormJob) {
    this.#token = token;
    this.#resuming = dialect === "skat" ? new SkatResuming(rooms) : new SocketIoResuming();
  }

  async connect(port: number): Promise<void> {
    const dialect = this.#resuming.dialect();
    const open: typeof dialect.open = (text, opening) => {
      if (text !== undefined) this.#hear(text);
      return dialect.open(text, opening);
    };
    const onText = (client: RawClient, text: string): void => {
      const answer = dialect.answer(text);
      if (answer === undefined) this.#hear(text);
      else client.say(answer);
    };
    this.#closed = new Promise((resolve) => {
      const shared = { host: "127.0.0.1", port, opening: { token: this.#token, room: "" }, onText };
      const handlers = { onMessage: () => {}, onEnd: () => resolve() };
      this.#client = new RawClient({ ...shared, ...handlers, dialect: { ...dialect, open } });
    });
    await this.#client?.joined;
  }

  get refusals(): number {
    return this.#resuming.refusals;
  }

  closed(): Promise<void> {
    return this.#closed ?? Promise.resolve();
  }

  say(number: number, room: string): void {
    this.#client?.say(this.#resuming.message(bodyOf(number, 200), room));
  }

  /** Resolves when it has heard so many different messages since `heard` was cleared. */
  async hears(count: number): Promise<void> {
    if (this.heard.size >= count) return;
    await new Promise<void>((resolve) => {
      this.#onHeard = () => void (this.heard.size >= count && resolve());
    });
  }

  #hear(text: string): void {
    for (const number of this.#resuming.hear(text)) this.heard.set(number, (this.heard.get(number) ?? 0) + 1);
    this.#onHeard();
  }
}

async function run(job: StormJob): Promise<StormOutcome> {
  const [dying, staying] = job.ports;
  const members = Array.from({ length: job.clients }, () => new Member(job));
  const witness = new Member(job);
  await witness.connect(staying);
  await atMost(CONNECTING_AT_ONCE, members, (member) => member.connect(dying));
  await sendAll(job, witness, [witness, ...members], job.rooms.length);
  process.kill(job.pids[0], job.death);
  await Promise.all(members.map((member) => member.closed()));
  await sendAll(job, witness, [witness], job.missed);
  return comeBack(job, members);
}

/** Until all of `listeners` have heard them: a message to each room in turn. */
async function sendAll({ rooms }: StormJob, from: Member, listeners: readonly Member[], count: number) {
  listeners.forEach(({ heard }) => heard.clear());
  for (let number = 0; number < count; number++) from.say(number, rooms[number % rooms.length] ?? "");
  await within(LATE_MS, Promise.all(listeners.map((member) => member.hears(count))));
  if (listeners.some(({ heard }) => heard.size < count))
    throw new Error("a message was lost before the storm");
}

async function comeBack(job: StormJob, members: readonly Member[]): Promise<StormOutcome> {
  const { clients, missed, ports, pids } = job;
  const counters = await openCounters(job);
  members.forEach(({ heard }) => heard.clear());
  const refusals = () => members.reduce((sum, member) => sum + member.refusals, 0);
  const refusedBefore = refusals();
  const before = { cpu: cpuUs(pids[1]), own: cpuUs(process.pid), atMs: performance.now() };
  const back = atMost(CONNECTING_AT_ONCE, members, (member) => member.connect(ports[1]));
  await within(LATE_MS, Promise.all([back, ...members.map((member) => member.hears(missed))]));
  const wholeMs = performance.now() - before.atMs;
  const cpuUsPerClient = (cpuUs(pids[1]) - before.cpu) / clients;
  const generatorShare = (cpuUs(process.pid) - before.own) / 1000 / wholeMs;
  const lost = members.reduce((sum, { heard }) => sum + Math.max(0, missed - heard.size), 0);
  const doubled = members.flatMap(({ heard }) => [...heard.values()]).filter((times) => times > 1).length;
  const refused = refusals() - refusedBefore;
  return { cpuUsPerClient, wholeMs, lost, doubled, refused, generatorShare, ...(await counters.end()) };
}

async function atMost<T>(
  limit: number,
  items: readonly T[],
  task: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const work = async () => {
    for (const item of left) await task(item);
  };
  await Promise.all(Array.from({ length: limit }, work));
}

/** What has not come by then is counted by whoever waited. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, sleep(ms, undefined, { ref: false })]);
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "") as StormJob)));
process.exit(0);
