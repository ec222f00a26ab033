/** Every kind of fault that the ledger knows: each begins, holds for a time and ends, and afterwards all is there again. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import type { EngineName } from "../../../scripts/engines/engine.ts";
import type { Person } from "../api-client.ts";
import type { Finding } from "../auditor.ts";
import { Outcasts } from "../faults/outcasts.ts";
import type { SocketIoClient } from "../socketio-client.ts";
import type { TestClient } from "../test-client.ts";
import { arriving } from "./arriving.ts";
import type { Fleet, Slot } from "./fleet.ts";

/** A client of the ledger. */
export type LedgerClient = TestClient | SocketIoClient;

export interface Site {
  readonly fleet: Fleet;
  readonly clients: readonly LedgerClient[];
  readonly rooms: readonly string[];
  /** Of the rooms. */
  readonly owner: Person;
  /** Something was found that the audit of the clients would not see. */
  readonly report: (findings: readonly Finding[]) => void;
  readonly pick: <T>(items: readonly T[]) => T;
  /** As long as this fault holds. */
  readonly hold: () => Promise<void>;
}

export interface FaultKind {
  readonly name: string;
  /** Redis has a new memory afterwards: views may begin later than before, with the newest page. */
  readonly isNewMemory?: boolean;
  run(site: Site): Promise<void>;
}

const SLOW_MS = 300;
const SLOW_READERS = 20;

export const KINDS: readonly FaultKind[] = [
  { name: "node killed", run: ({ fleet, pick, hold }) => killed(pick(fleet.nodes), hold) },
  { name: "node frozen", run: ({ fleet, pick, hold }) => frozen(pick(fleet.nodes), hold) },
  { name: "node drained", run: ({ fleet, pick }) => drained(pick(fleet.nodes)) },
  { name: "consumer killed", run: ({ fleet, pick, hold }) => killed(pick(fleet.consumers), hold) },
  { name: "consumer frozen", run: ({ fleet, pick, hold }) => frozen(pick(fleet.consumers), hold) },
  { name: "both consumers killed", run: bothConsumersKilled },
  { name: "redis killed", isNewMemory: true, run: engineKilled("redis") },
  { name: "redis frozen", run: engineFrozen("redis") },
  { name: "redis wiped", isNewMemory: true, run: redisWiped },
  { name: "redis flushed", isNewMemory: true, run: redisFlushed },
  { name: "redis restored from an older snapshot", isNewMemory: true, run: redisRestored },
  { name: "redis refuses writes", run: redisFull },
  { name: "redis drops its subscribers", run: redisDeaf },
  { name: "redis cut", run: engineCut("redis") },
  { name: "redis half-open", run: engineSilent("redis") },
  { name: "redis slow", run: engineSlow("redis") },
  { name: "kafka killed", run: engineKilled("kafka") },
  { name: "kafka frozen", run: engineFrozen("kafka") },
  { name: "kafka cut", run: engineCut("kafka") },
  { name: "kafka half-open", run: engineSilent("kafka") },
  { name: "kafka slow", run: engineSlow("kafka") },
  { name: "postgres killed", run: engineKilled("postgres") },
  { name: "postgres frozen", run: engineFrozen("postgres") },
  { name: "postgres refuses writes", run: postgresReadOnly },
  { name: "postgres cut", run: engineCut("postgres") },
  { name: "postgres half-open", run: engineSilent("postgres") },
  { name: "postgres slow", run: engineSlow("postgres") },
  { name: "a node's clients cut", run: async ({ fleet, pick }) => pick(fleet.nodes).proxy.cut() },
  { name: "a node's clients half-open", run: async ({ fleet, pick }) => pick(fleet.nodes).proxy.silence() },
  { name: "clients stop reading", run: clientsStall },
  { name: "people put out", run: peoplePutOut },
];

async function killed(slot: Slot, hold: Site["hold"]): Promise<void> {
  await slot.running.kill();
  await hold();
  await slot.renew();
}

async function frozen(slot: Slot, hold: Site["hold"]): Promise<void> {
  slot.running.signal("SIGSTOP");
  await hold();
  slot.running.signal("SIGCONT");
}

async function drained(slot: Slot): Promise<void> {
  const code = await slot.running.stop();
  if (code !== 0)
    throw new Error(`a drained node ended with ${code}:\n${slot.running.output().slice(-2_000)}`);
  await slot.renew();
}

async function bothConsumersKilled({ fleet, hold }: Site): Promise<void> {
  await Promise.all(fleet.consumers.map((slot) => killed(slot, hold)));
}

function engineKilled(engine: EngineName) {
  return async ({ fleet, hold }: Site): Promise<void> => {
    await fleet.world[engine].kill();
    await hold();
    await fleet.world[engine].start();
  };
}

function engineFrozen(engine: EngineName) {
  return async ({ fleet, hold }: Site): Promise<void> => {
    await fleet.world[engine].pause();
    await hold();
    await fleet.world[engine].resume();
  };
}

function engineCut(engine: EngineName) {
  return async ({ fleet }: Site): Promise<void> => fleet.world.proxies[engine].cut();
}

function engineSilent(engine: EngineName) {
  return async ({ fleet }: Site): Promise<void> => fleet.world.proxies[engine].silence();
}

function engineSlow(engine: EngineName) {
  return async ({ fleet, hold }: Site): Promise<void> => {
    fleet.world.proxies[engine].slow(SLOW_MS);
    await hold();
    fleet.world.proxies[engine].slow(0);
  };
}

async function redisWiped({ fleet, hold }: Site): Promise<void> {
  const { redis } = fleet.world;
  await redis.kill();
  rmSync(join(redis.dir, "appendonlydir"), { recursive: true, force: true });
  await hold();
  await redis.start();
}

async function redisFlushed({ fleet }: Site): Promise<void> {
  await onRedis(fleet, (client) => client.flushall());
}

async function redisRestored({ fleet, hold }: Site): Promise<void> {
  const { redis } = fleet.world;
  const file = join(tmpdir(), `skat-ledger-${redis.port}.rdb`);
  await redis.save(file);
  await hold();
  await redis.restore(file);
  rmSync(file);
}

async function redisFull({ fleet, hold }: Site): Promise<void> {
  await onRedis(fleet, (client) => client.config("SET", "maxmemory", "1mb"));
  await hold();
  await onRedis(fleet, (client) => client.config("SET", "maxmemory", "0"));
}

async function redisDeaf({ fleet }: Site): Promise<void> {
  await onRedis(fleet, (client) => client.call("CLIENT", "KILL", "TYPE", "pubsub"));
}

async function onRedis({ world }: Fleet, task: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(world.redis.url);
  await task(client);
  client.disconnect();
}

/** As after a failover to a replica. */
async function postgresReadOnly({ fleet, hold }: Site): Promise<void> {
  await setReadOnly(fleet, "on");
  await hold();
  await setReadOnly(fleet, "off");
}

async function setReadOnly({ world }: Fleet, value: "on" | "off"): Promise<void> {
  const options = "-c default_transaction_read_only=off";
  const client = new pg.Client({ connectionString: world.postgres.url, options });
  await client.connect();
  await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}

async function clientsStall({ clients, pick, hold }: Site): Promise<void> {
  const stalled = Array.from({ length: SLOW_READERS }, () => pick(clients));
  for (const client of stalled) client.pause();
  await hold();
  for (const client of stalled) client.resume();
}

/** Others than those who write, who go on and must miss nothing. */
async function peoplePutOut({ fleet, rooms, owner, pick, hold, report }: Site): Promise<void> {
  const urls = fleet.nodes.map(({ url }) => url);
  const outcasts = await arriving(() => Outcasts.join(urls, rooms.slice(0, 2)));
  await outcasts.putOut(pick(rooms.slice(0, 2)), owner);
  await hold(); // nothing of what is said meanwhile may come
  report(outcasts.findings());
  await outcasts.stop();
}

/** Between half a second and four. */
export function holdFor(random: () => number): () => Promise<void> {
  const holdMs = 500 + random() * 3_500;
  return () => sleep(holdMs);
}
