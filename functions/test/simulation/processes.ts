/** The simulated nodes and consumers: the real core on simulated engines, each in a process that can be killed, paused and drained. */
import { ChatConsumer } from "../../core/consumer.ts";
import type { HistoryPage } from "../../core/history.ts";
import type { Moderation } from "../../core/moderation.ts";
import { ChatNode } from "../../core/node.ts";
import { check } from "../../core/permissions.ts";
import type { Position } from "../../core/position.ts";
import type { RateLimiter } from "../../core/rate-limits.ts";
import { Revocations } from "../../core/revocations.ts";
import { Verifiers, type Verifier } from "../../core/verifiers.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Metrics } from "../../lib/metrics.ts";
import { DEFAULT_LIMITS } from "../../protocol.ts";
import type { Host } from "./host.ts";
import type { SimulatedKafka, KafkaConnection } from "./kafka.ts";
import type { Link } from "./link.ts";
import type { SimulatedPostgres } from "./postgres.ts";
import type { RedisConnection, SimulatedRedis } from "./redis.ts";
import { Socket, type SocketEnd } from "./socket.ts";

export interface ProcessDeps {
  readonly host: Host;
  readonly redis: SimulatedRedis;
  readonly kafka: SimulatedKafka;
  readonly postgres: SimulatedPostgres;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly streamKeep: number;
}

export const STAGE = "simulated";
export const HEARTBEAT_MS = 3_000;
/** Small, so that minutes of a few clients reach the bounds that take hours of many. */
const BACKLOG_MAX = 40;
const BATCH_MAX = 50;
const BUFFER_LENGTH_MAX = 1_100 * 1024;
const DRAIN_MS = 4_000;
const STALL_MS = 30_000;
const RESTART_MS = 1_000;

/** A token is the user's name and the number of the session that it is of. */
const tokens: Verifier = {
  recognizes: (token) => token !== "",
  verify: async (token) => {
    const [id = ""] = token.split(" ");
    const user = { id, name: id };
    return { user, expiresAtMs: Number.MAX_SAFE_INTEGER, subjects: [subjectOf(token)] };
  },
};

/** What it is called back by. */
export function subjectOf(token: string): string {
  return `session:${token}`;
}

/** Limits of users have suites of their own. */
const rates: RateLimiter = { take: async () => {}, count: () => 0 };
const CONNECTIONS_PER_USER_MAX = 100;

/** What node and consumer have of the engines. */
class Connections {
  readonly redis: RedisConnection;
  readonly kafka: KafkaConnection;
  readonly postgres: ReturnType<SimulatedPostgres["connect"]>;

  constructor({ host, redis, kafka, postgres }: ProcessDeps) {
    this.redis = redis.connect(host);
    this.kafka = kafka.connect(host, host.name);
    this.postgres = postgres.connect(host);
    host.onDeath(() => {
      this.redis.close();
      for (const link of this.links) link.close();
    });
  }

  get links(): readonly Link[] {
    return [...this.redis.links, this.kafka.link, this.postgres.link];
  }
}

/** What a request over HTTP finds at a node. */
export interface NodeEntry {
  readonly host: Host;
  /** A page of history, as its route answers it. */
  history(token: string, room: string, before: Position | undefined, limit: number): Promise<HistoryPage>;
}

export class SimulatedNode implements NodeEntry {
  readonly host: Host;
  readonly connections: Connections;
  readonly #node: ChatNode;
  readonly #revocations: Revocations;
  readonly #auth: Verifiers;
  #isStarted = false;

  constructor(deps: ProcessDeps) {
    this.host = deps.host;
    this.connections = new Connections(deps);
    const { redis, kafka, postgres } = this.connections;
    const { host: runtime, logger } = deps;
    this.#revocations = new Revocations({ store: postgres.revocations, runtime, logger });
    this.#auth = new Verifiers({ kinds: [tokens], revocations: this.#revocations });
    this.#node = new ChatNode({
      stream: redis.stream,
      feed: redis.feed,
      notices: redis.feed,
      log: kafka.log,
      store: postgres.store,
      auth: this.#auth,
      runtime,
      metrics: deps.metrics,
      logger,
      limits: DEFAULT_LIMITS,
      rates,
      connectionsPerUserMax: CONNECTIONS_PER_USER_MAX,
      heartbeatMs: HEARTBEAT_MS,
      backlogMax: BACKLOG_MAX,
      real: new Set(["redis", "kafka", "postgres"]),
    });
    this.#start();
  }

  /** It opens once it knows what was called back; deployed it ends where it can't learn that, and is started again. */
  #start(): void {
    this.#revocations
      .start((subjects) => this.#node.revoke(subjects))
      .then(
        () => (this.#isStarted = true),
        () => this.host.after(RESTART_MS, () => this.#start()),
      );
  }

  get isOpen(): boolean {
    return this.host.isAlive && this.#isStarted && this.#node.unready().length === 0;
  }

  /** A request of a moderator reaches it. */
  moderate(request: (moderation: Moderation) => void): void {
    this.host.after(0, () => request(this.#node.moderation));
  }

  async history(token: string, room: string, before: Position | undefined, limit: number) {
    const { user } = await this.#auth.verify(token);
    const checkStanding = async () =>
      check(await this.#node.access.standing(room, user.id), "read", this.host.now());
    await checkStanding();
    const page = await this.#node.history.read(room, { before }, limit);
    await checkStanding();
    return page;
  }

  accept(client: SocketEnd, latencyMs: () => number): Socket {
    return new Socket({
      client,
      node: this.host,
      open: (transport) => this.#node.openSession(transport),
      end: (session) => this.#node.closeSession(session),
      latencyMs,
      bufferLengthMax: BUFFER_LENGTH_MAX,
      heartbeatMs: HEARTBEAT_MS,
    });
  }

  /** SIGTERM: it drains and ends. */
  async stop(): Promise<void> {
    await this.#node.drain(DRAIN_MS);
    this.#node.close();
    this.host.kill();
  }
}

export class SimulatedConsumer {
  readonly host: Host;
  readonly connections: Connections;
  readonly #chat: ChatConsumer;

  constructor(deps: ProcessDeps) {
    this.host = deps.host;
    this.connections = new Connections(deps);
    const { redis, kafka, postgres } = this.connections;
    this.#chat = new ChatConsumer({
      stage: STAGE,
      consumer: kafka.consumer,
      deadLetters: kafka.deadLetters,
      log: kafka.log,
      outbox: redis.stream,
      store: postgres.store,
      runtime: deps.host,
      metrics: deps.metrics,
      logger: deps.logger,
      batchMax: BATCH_MAX,
      streamKeep: deps.streamKeep,
      retentionMs: undefined,
      periodMs: undefined,
      stallMs: STALL_MS,
    });
  }

  start(): Promise<void> {
    return this.#chat.start();
  }

  async stop(): Promise<void> {
    await this.#chat.close();
    this.host.kill();
  }
}
