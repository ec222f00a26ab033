/** The whole of one run: engines, processes, people and their network on one clock, with the faults of a plan done to them. */
import { decodeEvent } from "../../core/event.ts";
import { FOREVER_MS } from "../../core/room-store.ts";
import { uuidV7 } from "../../core/uuid.ts";
import type { Logger, LogFields } from "../../lib/logger.ts";
import type { RoomEvent } from "../../protocol.ts";
import type { ClientHistory, Histories } from "../auditor.ts";
import { absences, isDenied, RECOVERY_MS, signOuts, type CalledBack, type Span } from "./absences.ts";
import { SimulatedClient } from "./client.ts";
import { Cluster } from "./cluster.ts";
import { type Coverage, countingMetrics } from "./coverage.ts";
import { FAULTS, type FaultSpec } from "./faults.ts";
import { Host } from "./host.ts";
import { SimulatedKafka } from "./kafka.ts";
import { MAKER } from "./moderation-faults.ts";
import type { Person, PersonOptions } from "./person.ts";
import type { ClientPlan, FaultPlan, Plan } from "./plan.ts";
import { SimulatedPostgres } from "./postgres.ts";
import { HEARTBEAT_MS, STAGE, subjectOf, type SimulatedNode } from "./processes.ts";
import { Random } from "./random.ts";
import { SimulatedRedis } from "./redis.ts";
import { SdkClient } from "./sdk-client.ts";
import type { Socket, SocketEnd } from "./socket.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Entries of a room that may wait to be stored: few, so that a store that is away for seconds fills a room. */
const ROOM_ENTRIES_MAX = 150;
const SNAPSHOT_MS = 7_000;
const SNAPSHOTS = 3;

export interface WorldOptions {
  readonly plan: Plan;
  readonly coverage: Coverage;
  readonly trace: ((line: string) => void) | undefined;
}

interface Acceptance {
  readonly atMs: number;
  readonly nodes: Set<Host>;
}

export class World {
  readonly time: VirtualTime;
  readonly redis: SimulatedRedis;
  readonly kafka: SimulatedKafka;
  readonly postgres: SimulatedPostgres;
  readonly cluster: Cluster;
  readonly rooms: readonly string[];
  readonly clients: readonly Person[];
  readonly snapshots: SimulatedRedis["memory"]["contents"][] = [];
  /** Added to what a frame takes between client and node, at most. */
  slowMs = 0;
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #accepted = new Map<string, Acceptance>();
  /** When Redis lost memory. */
  readonly #losses: number[] = [];
  /** When nodes may not have learned what the store says. */
  readonly #blind: Span[] = [];
  readonly #calledBack: CalledBack[] = [];
  readonly #ends = new Set<() => void>();

  constructor(options: WorldOptions) {
    const { plan, coverage } = options;
    this.#options = options;
    this.#random = new Random(plan.seed);
    this.time = new VirtualTime(this.#random.fork("world"));
    const world = this.time;
    this.redis = new SimulatedRedis({ world, latencyMs: 1, roomEntriesMax: ROOM_ENTRIES_MAX });
    this.kafka = new SimulatedKafka({ world, latencyMs: 4, stage: STAGE });
    this.postgres = new SimulatedPostgres({ world, latencyMs: 3 });
    const { redis, kafka, postgres } = this;
    const engines = { redis, kafka, postgres, metrics: countingMetrics(coverage) };
    this.cluster = new Cluster({
      ...engines,
      ...plan,
      loggerOf: (name) => this.#logger(name),
      hostOf: (name) => this.#host(name),
    });
    this.rooms = Array.from({ length: plan.rooms }, () => uuidV7(world));
    this.clients = plan.clients.map((client) => this.#client(client));
  }

  /** Clients that are not gone. */
  readonly people = (): readonly Person[] => this.clients.filter(({ isGone }) => !isGone);

  async start(): Promise<void> {
    const { plan } = this.#options;
    for (const [index, id] of this.rooms.entries())
      await this.#makeRoom(id, index >= plan.rooms - plan.privateRooms);
    this.cluster.fill();
    for (const client of this.clients)
      client.host.after(this.#random.between(0, 1_000), () => client.start());
    for (const fault of plan.faults) this.time.after(fault.atMs, () => this.#begin(fault));
    if (plan.faults.some(({ kind }) => kind === "redis_restored")) this.#snapshotLater();
  }

  /** All faults are over, nobody writes anything new, and whoever can comes back. */
  heal(): void {
    for (const end of this.#ends) end();
    this.#ends.clear();
    for (const engine of [this.redis, this.kafka, this.postgres]) engine.heal();
    this.slowMs = 0;
    this.cluster.heal();
    for (const client of this.people()) {
      client.quiet();
      client.comeBack();
    }
  }

  /** What still has to happen before everything is at rest. */
  unrest(): string[] {
    const people = this.people();
    const waiting = people.filter((client) => client.waiting > 0);
    const unsettled = people.filter((client) => !client.isSettled);
    const unread = this.kafka.partitions.filter(({ records, committed }) => committed < records.length);
    const unstored = this.rooms.filter((room) => this.#isUnstored(room));
    return [
      ...waiting.map(({ name }) => `the outbox of ${name}`),
      ...unsettled.map(({ name }) => `the views of ${name}`),
      ...unread.map(({ number }) => `partition ${number} of the log`),
      ...unstored.map((room) => `the stream of ${room}`),
    ];
  }

  redisLoses(lose: () => void): void {
    this.#losses.push(this.time.elapsed());
    lose();
  }

  /** By its user, in the store alone: nodes have to find it. */
  signOut(client: Person): void {
    const { length: session } = client.signInsMs;
    this.#calledBack.push({ client, session, atMs: this.time.elapsed() });
    void this.postgres.revocations.revoke(subjectOf(client.token), FOREVER_MS);
  }

  histories(): Histories {
    return {
      clients: this.clients,
      rows: new Map(this.rooms.map((room) => [room, this.postgres.store.rowsOf(room)])),
      absences: [
        ...absences(this.postgres.store.changes.trail, this.#blind),
        ...signOuts(this.#calledBack, this.#blind),
      ],
      log: this.kafka.all().flatMap(({ value, stage }) => (stage === STAGE ? readEvent(value) : [])),
      excuse: (client, id) => this.#excuse(client, id),
    };
  }

  trace(line: string): void {
    this.#options.trace?.(`${(this.time.elapsed() / 1000).toFixed(4).padStart(9)} ${line}`);
  }

  async #makeRoom(id: string, isPrivate: boolean): Promise<void> {
    const { rooms, members } = this.postgres.store;
    const kind = isPrivate ? "private" : "public";
    await rooms.createRoom({ id, slug: id, kind, name: id, topic: "", archived: false }, MAKER);
    if (!isPrivate) return;
    for (const { name, rooms } of this.clients)
      if (rooms.includes(id)) await members.addMember(id, { id: name, name }, Infinity);
  }

  #begin({ index, kind, durationMs }: FaultPlan): void {
    const { coverage } = this.#options;
    this.trace(`FAULT ${index} ${kind} for ${durationMs} ms`);
    coverage.count(`fault ${kind}`);
    const spec: FaultSpec = FAULTS[kind];
    const finish = spec.begin(this, this.#random.fork(`fault ${index}`), durationMs);
    if (!finish) return;
    const blind = { fromMs: this.time.elapsed(), untilMs: Infinity };
    if (spec.keepsFromStore) this.#blind.push(blind);
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      this.trace(`END ${index} ${kind}`);
      blind.untilMs = this.time.elapsed() + RECOVERY_MS;
      finish();
    };
    this.#ends.add(end);
    this.time.after(durationMs, end);
  }

  /** Lost without a fault of ours only where Redis and the nodes that accepted it are gone, and its client is too or may not send it. */
  #excuse(client: ClientHistory, id: string): string | undefined {
    const accepted = this.#accepted.get(`${client.name} ${id}`);
    const isGivenUp = client.isGone || client.givenUp?.has(id);
    if (!accepted || !isGivenUp || [...accepted.nodes].some(({ isAlive }) => isAlive)) return undefined;
    if (!this.#losses.some((atMs) => atMs >= accepted.atMs)) return undefined;
    const nodes = [...accepted.nodes].map(({ name }) => name).join(", ");
    return `sent at ${accepted.atMs.toFixed(0)} ms; Redis lost its memory later, ${nodes} died, and the client never came back or had to give it up`;
  }

  /** Something of the stream is not stored, neither there nor where it was sent again. */
  #isUnstored(room: string): boolean {
    const rows = this.postgres.store.rowsOf(room);
    const [places, ids] = [new Set(rows.map(({ position }) => position)), new Set(rows.map(({ id }) => id))];
    const entries = this.redis.memory.contents.streams.get(room) ?? [];
    return entries.some(({ position, json }) => !places.has(position) && !ids.has(decodeEvent(json).id));
  }

  #client({ index, rooms, messagesPerSecond, sdk = false }: ClientPlan): Person {
    const name = `client-${index}`;
    const host = new Host(name, this.time, this.#random.fork(name));
    const nodeOf = new Map<Socket, Host>();
    const options: PersonOptions = {
      name,
      rooms: rooms.flatMap((room) => this.rooms[room] ?? []),
      host,
      random: this.#random.fork(`${name} writes`),
      heartbeatMs: HEARTBEAT_MS,
      messagesPerSecond,
      connect: (end) => this.#connect(end, nodeOf),
      anyNode: () => this.#anyNode(),
      onSent: (id) => this.#accept(`${name} ${id}`, client.socket && nodeOf.get(client.socket)),
      isDenied: (room, code) => isDenied(this.postgres.store.changes.trail, { room, user: name, code }),
      trace: this.#options.trace && ((line) => this.trace(line)),
    };
    const client: Person = sdk ? new SdkClient(options) : new SimulatedClient(options);
    return client;
  }

  #connect(end: SocketEnd, nodeOf: Map<Socket, Host>): Socket | undefined {
    const node = this.#anyNode();
    if (!node) return undefined;
    const latencyMs = (): number => this.time.random() * (4 + this.slowMs);
    const socket = node.accept(end, latencyMs);
    nodeOf.set(socket, node.host);
    this.trace(`${end.host.name} connects to ${node.host.name}`);
    return socket;
  }

  #anyNode(): SimulatedNode | undefined {
    const open = this.cluster.nodes.filter(({ isOpen }) => isOpen);
    return open.length === 0 ? undefined : this.#random.pick(open);
  }

  #accept(key: string, node: Host | undefined): void {
    const accepted = this.#accepted.get(key) ?? { atMs: this.time.elapsed(), nodes: new Set() };
    if (node) accepted.nodes.add(node);
    this.#accepted.set(key, accepted);
  }

  /** Clocks of two hosts differ by half a second at most. */
  #host(name: string): Host {
    const random = this.#random.fork(name);
    return new Host(name, this.time, random, Math.round(random.between(-250, 250)));
  }

  #snapshotLater(): void {
    this.snapshots.push(this.redis.memory.snapshot());
    if (this.snapshots.length > SNAPSHOTS) this.snapshots.shift();
    this.time.after(SNAPSHOT_MS, () => this.#snapshotLater());
  }

  #logger(name: string): Logger {
    const write =
      (level: string) =>
      (message: string, fields: LogFields = {}) => {
        if (this.#options.trace) this.trace(`${name} ${level}: ${message} ${textOf(fields)}`);
      };
    const logger: Logger = {
      debug: () => {},
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      fatal: write("fatal"),
      child: () => logger,
    };
    return logger;
  }
}

function textOf(fields: LogFields): string {
  return JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value));
}

/** What is no event of ours is for the dead letters. */
function readEvent(value: string): RoomEvent[] {
  try {
    const event = decodeEvent(value);
    return event.body.includes("\0") ? [] : [event];
  } catch {
    return [];
  }
}
