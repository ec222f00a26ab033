/** Runs the ledger: clients write, faults come one after the other, and after every few of them the auditor compares all that was told. */
import { setTimeout as sleep } from "node:timers/promises";
import { uuidTimeMs } from "../../core/uuid.ts";
import { Person } from "../api-client.ts";
import { examine } from "../audit.ts";
import { VIOLATIONS, type Finding } from "../auditor.ts";
import { makeRooms } from "../harness.ts";
import { chance } from "../load.ts";
import { SocketIoClient } from "../socketio-client.ts";
import { TestClient } from "../test-client.ts";
import { arriving } from "./arriving.ts";
import { startFleet, type Fleet } from "./fleet.ts";
import { holdFor, KINDS, type FaultKind, type LedgerClient } from "./kinds.ts";
import { difference, readCounters, type Counters } from "./counters.ts";

export interface LedgerOptions {
  readonly seed: number;
  readonly faults: number;
  readonly clients: number;
  readonly perSecond: number;
  readonly kinds?: readonly FaultKind[];
  log(line: string): void;
  /** Told of all entries so far after each audit. */
  keep?(entries: readonly Entry[]): void;
}

/** One fault and what followed. */
export interface Entry {
  readonly kind: string;
  readonly messages: number;
  /** Of which clients were told that they are saved, when all were whole again. */
  readonly acknowledged: number;
  /** What the nodes that lived on counted meanwhile. */
  readonly counters: Counters;
  readonly resets: number;
  /** Per client: from the fault's end until its outbox is empty and its view is settled and shows what anybody's shows. */
  readonly wholeMs: readonly number[];
  readonly endedAtMs: number;
  readonly findings: Finding[];
}

const FAULTS_PER_AUDIT = 10;
const CLIENTS_PER_ROOM = 10;
/** Of this many clients one speaks Socket.IO. */
const CLIENTS_PER_SOCKET_IO = 10;
/** Load before each fault, so that there is something under way. */
const LEAD_MS = 1_000;
const WHOLE_DEADLINE_MS = 120_000;

export async function runLedger(options: LedgerOptions): Promise<Entry[]> {
  const random = chance(options.seed);
  const fleet = await startFleet();
  const entries: Entry[] = [];
  try {
    const order = shuffledKinds(options.kinds ?? KINDS, options.faults, random);
    for (let start = 0; start < order.length; start += FAULTS_PER_AUDIT) {
      const round = new Round(fleet, options, random);
      entries.push(...(await round.run(order.slice(start, start + FAULTS_PER_AUDIT), start)));
      options.keep?.(entries);
    }
  } finally {
    await fleet.close();
  }
  return entries;
}

/** Every kind once in each pass over them, in an order of its own, so that none is left to chance. */
function shuffledKinds(kinds: readonly FaultKind[], count: number, random: () => number): FaultKind[] {
  const order: FaultKind[] = [];
  while (order.length < count) {
    const keyed = kinds.map((kind) => ({ kind, key: random() }));
    order.push(...keyed.toSorted((a, b) => a.key - b.key).map(({ kind }) => kind));
  }
  return order.slice(0, count);
}

/** New rooms and clients, a few faults, and the audit of all that happened in them. */
class Round {
  readonly #fleet: Fleet;
  readonly #options: LedgerOptions;
  readonly #random: () => number;
  readonly #rooms = new Map<string, LedgerClient[]>();
  #said = 0;

  constructor(fleet: Fleet, options: LedgerOptions, random: () => number) {
    this.#fleet = fleet;
    this.#options = options;
    this.#random = random;
  }

  async run(kinds: readonly FaultKind[], before: number): Promise<Entry[]> {
    const owner = await this.#join();
    const entries: Entry[] = [];
    for (const [index, kind] of kinds.entries()) {
      const entry = await this.#suffer(kind, owner);
      this.#options.log(
        `${before + index + 1}/${this.#options.faults} ${kind.name}: ${entry.messages} messages, whole after ${Math.round(Math.max(...entry.wholeMs))} ms`,
      );
      entries.push(entry);
    }
    const findings = await this.#audit(kinds);
    for (const finding of findings) this.#attribute(finding, entries);
    for (const { text } of findings) this.#options.log(`  VIOLATION ${text}`);
    await Promise.all(this.#clients.map((client) => client.stop()));
    return entries;
  }

  get #clients(): LedgerClient[] {
    return [...this.#rooms.values()].flat();
  }

  /** Answers the owner of the rooms. */
  async #join(): Promise<Person> {
    const urls = this.#fleet.nodes.map(({ url }) => url);
    const owner = await arriving(() => Person.on(urls, "owner"));
    const count = Math.ceil(this.#options.clients / CLIENTS_PER_ROOM);
    const rooms = await arriving(() => makeRooms(urls[0] ?? "", count, owner));
    const clients = Array.from({ length: this.#options.clients }, (_, index) => {
      const room = rooms[index % rooms.length] ?? "";
      const client = this.#newClient(index, room);
      this.#rooms.set(room, [...(this.#rooms.get(room) ?? []), client]);
      return client;
    });
    await Promise.all(clients.map((client) => arriving(async () => void (await client.start()))));
    return owner;
  }

  /** One in each room speaks Socket.IO: it comes to any node, as its one address leads, and how it comes back takes turns. */
  #newClient(index: number, room: string): LedgerClient {
    const { nodes, balancer } = this.#fleet;
    const urls = nodes.map(({ url }) => url);
    const turn = Math.floor(index / CLIENTS_PER_SOCKET_IO);
    const isSocketIo = index % CLIENTS_PER_SOCKET_IO === turn % CLIENTS_PER_SOCKET_IO;
    if (!isSocketIo) return new TestClient(`c${index}`, urls, [room], index);
    const resume = turn % 2 === 0 ? "offset" : "after";
    return new SocketIoClient(`io${index}`, balancer.url, room, { resume });
  }

  async #suffer(kind: FaultKind, owner: Person): Promise<Entry> {
    const [saidBefore, savedBefore, resetsBefore] = [this.#said, this.#saved(), this.#resets()];
    const counters = await readCounters(this.#fleet.nodes);
    const stop = this.#startLoad();
    await sleep(LEAD_MS);
    const [fleet, clients] = [this.#fleet, this.#clients];
    const [rooms, reported] = [[...this.#rooms.keys()], [] as Finding[]];
    const report = (found: readonly Finding[]) => void reported.push(...found);
    await kind.run({ fleet, clients, rooms, owner, report, pick: this.#pick, hold: holdFor(this.#random) });
    const endedAtMs = Date.now();
    stop();
    const { wholeMs, findings } = await this.#untilWhole();
    return {
      kind: kind.name,
      messages: this.#said - saidBefore,
      acknowledged: this.#saved() - savedBefore,
      resets: this.#resets() - resetsBefore,
      counters: difference(counters, await readCounters(this.#fleet.nodes)),
      wholeMs,
      endedAtMs,
      findings: [...reported, ...findings],
    };
  }

  readonly #pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };

  #saved(): number {
    return this.#clients.reduce((sum, { saved }) => sum + saved.size, 0);
  }

  #resets(): number {
    return this.#clients.reduce((sum, { resets }) => sum + resets, 0);
  }

  /** Answers what ends it. */
  #startLoad(): () => void {
    const startMs = performance.now();
    let count = 0;
    const timer = setInterval(() => {
      const due = ((performance.now() - startMs) / 1000) * this.#options.perSecond;
      for (; count < due; count++, this.#said++) {
        const [room, clients] = this.#pick([...this.#rooms]);
        this.#pick(clients).say(
          room,
          `message ${this.#said} ${"x".repeat(Math.floor(this.#random() * 100))}`,
        );
      }
    }, 10);
    return () => clearInterval(timer);
  }

  async #untilWhole(): Promise<{ wholeMs: number[]; findings: Finding[] }> {
    const startMs = performance.now();
    const wholeMs = new Map<LedgerClient, number>();
    const missing = () => this.#clients.filter((client) => !wholeMs.has(client));
    while (missing().length > 0 && performance.now() - startMs < WHOLE_DEADLINE_MS) {
      for (const client of this.#whole())
        if (!wholeMs.has(client)) wholeMs.set(client, performance.now() - startMs);
      await sleep(10);
    }
    const late = missing().map(({ name, waiting }): Finding => {
      const what = `${name} after ${WHOLE_DEADLINE_MS} ms, ${waiting} messages wait`;
      return { kind: "unsettled", text: `${VIOLATIONS.unsettled}: ${what}` };
    });
    return { wholeMs: [...wholeMs.values(), ...late.map(() => WHOLE_DEADLINE_MS)], findings: late };
  }

  /** One whose connection fell silent seems to be settled: it is behind the others of its room. */
  #whole(): LedgerClient[] {
    return [...this.#rooms].flatMap(([room, clients]) => {
      const newest = clients
        .map((client) => client.cursor(room))
        .toSorted()
        .at(-1);
      return clients.filter(
        (client) => client.waiting === 0 && client.isSettled && client.cursor(room) === newest,
      );
    });
  }

  async #audit(kinds: readonly FaultKind[]): Promise<Finding[]> {
    const whole = !kinds.some(({ isNewMemory }) => isNewMemory);
    const url = this.#fleet.nodes[0]?.running.url ?? "";
    const verdict = await examine(url, this.#clients, [...this.#rooms.keys()], { whole });
    return [...verdict.findings];
  }

  /** To the fault during which the message that it names was written, else to the last one. */
  #attribute(finding: Finding, entries: readonly Entry[]): void {
    const id = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}(?!.*[0-9a-f]{8}-)/.exec(
      finding.text,
    )?.[0];
    const entry = entries.find(({ endedAtMs }) => id !== undefined && uuidTimeMs(id) <= endedAtMs);
    (entry ?? entries.at(-1))?.findings.push(finding);
  }
}
