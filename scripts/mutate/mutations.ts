/**
 * The mechanisms that keep the guarantees, each with a patch that takes it out and the suite that must notice.
 *
 * A patch replaces text that occurs just once in its file, so that one which no longer fits is told instead of passing for applied.
 */

import { CLUSTER_MUTATIONS } from "./cluster.ts";
import { EVENT_PERIOD_MUTATIONS } from "./event-periods.ts";
import { INFRA_MUTATIONS } from "./infra.ts";
import { OWN_DATA_MUTATIONS } from "./own-data.ts";
import { PAGE_MUTATIONS } from "./page.ts";
import { READ_MARK_MUTATIONS } from "./read-marks.ts";
import { SOCKETIO_MUTATIONS } from "./socketio.ts";

export interface Mutation {
  readonly name: string;
  /** The rule or guarantee it keeps, and what it is. */
  readonly mechanism: string;
  readonly file: string;
  readonly edits: readonly (readonly [search: string, replace: string])[];
  /** The test file that goes red, and which of its titles: a regular expression. */
  readonly noticedBy: readonly [file: string, titles: string];
}

const SCRIPTS = "functions/adapters/redis-scripts.ts";
const REDIS = "functions/test/room-stream-redis.test.ts";
const RULES = "functions/test/rules.test.ts";
const RECONCILE = "functions/test/reconcile.test.ts";
const ROOMS = "functions/test/rooms.test.ts";
const LATE_CHANGES = "functions/test/late-changes.test.ts";
const KAFKA = "functions/test/event-log-kafka.test.ts";
const ENGINES = "functions/test/faults/engines.test.ts";
const PROCESSES = "functions/test/faults/processes.test.ts";
const SLOW_READER = "functions/test/faults/slow-reader.test.ts";
const DEGRADED = "functions/test/faults/degraded.test.ts";
const DOCTOR = "functions/test/doctor.test.ts";
const ACCOUNTS = "functions/test/accounts.test.ts";
const STAGES = "functions/test/faults/stages.test.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "stale-check",
    mechanism: "S1 an append under another fence is refused",
    file: SCRIPTS,
    edits: [["if fence[1] ~= ARGV[1] or fence[2] ~= ARGV[2] then return { 'STALE' } end", ""]],
    noticedBy: [REDIS, "\\[S1\\]"],
  },
  {
    name: "retry-check",
    mechanism: "S2 an id that was appended gets its first place again",
    file: SCRIPTS,
    edits: [["if known then return { 'REPEAT', string.sub(known, 1, 19), string.sub(known, 20) } end", ""]],
    noticedBy: [REDIS, "\\[S2\\]"],
  },
  {
    name: "floor",
    mechanism: "S3 a position is above everything its node has seen",
    file: SCRIPTS,
    edits: [["after(larger(bottom, pair(ARGV[4])))", "after(bottom)"]],
    noticedBy: [REDIS, "\\[S3\\] appends above the floor"],
  },
  {
    name: "link",
    mechanism: "S3 each event names the one before it",
    file: SCRIPTS,
    edits: [["if above(newest, bottom) then prev = digits(newest) end", ""]],
    noticedBy: [REDIS, "\\[S3\\] links"],
  },
  {
    name: "publish",
    mechanism: "S4 what is appended is published",
    file: SCRIPTS,
    edits: [["redis.call('SPUBLISH', KEYS[5], ARGV[1] .. position .. prev .. json)", ""]],
    noticedBy: [REDIS, "\\[S4\\] lets a subscriber hear"],
  },
  {
    name: "room-bound",
    mechanism: "S4 unsaved entries of a room are bounded",
    file: SCRIPTS,
    edits: [["if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[8]) then return { 'FULL' } end", ""]],
    noticedBy: [REDIS, "room_full"],
  },
  {
    name: "gate",
    mechanism: "N1 nothing is sent on a connection before its fence is known",
    file: "functions/adapters/room-stream-redis.ts",
    edits: [
      ["if (!this.#shards.of(partition).opened.has(partition)) throw new StaleFenceError(partition);", ""],
    ],
    noticedBy: [REDIS, "\\[N1\\] counts a fence only"],
  },
  {
    name: "known-fence",
    mechanism: "N1 a new fence is not below one that the caller knows",
    file: SCRIPTS,
    edits: [
      ["and held[1] >= ARGV[4] then", "then"],
      ["fence = larger(fence, after(pair(ARGV[3])))", ""],
    ],
    noticedBy: [REDIS, "\\[N1\\]"],
  },
  {
    name: "fence-reset",
    mechanism: "N2 a new fence resets every room of its partition",
    file: "functions/core/hub.ts",
    edits: [
      [
        "if (room.partition === partition) room.fenceRaised(fence.position);",
        "void room, void fence, void partition;",
      ],
    ],
    noticedBy: [RULES, "\\[N2\\]"],
  },
  {
    name: "prev-check",
    mechanism: "N3 an event behind a hole is not shown before the hole is mended",
    file: "functions/core/room.ts",
    edits: [
      [
        "if (event.prev === this.#pos) return this.#advance(event);\n    if (event.prev <",
        "this.#advance(event);\n    if (event.prev <",
      ],
    ],
    noticedBy: [RULES, "\\[N3\\] an event that the feed lost"],
  },
  {
    name: "head-check",
    mechanism: "N3 a lost last event is found by the look at the heads",
    file: "functions/core/room.ts",
    edits: [["this.#background(this.#repair(head));", ""]],
    noticedBy: [RULES, "\\[N3\\] a lost last event"],
  },
  {
    name: "vanished",
    mechanism: "N3 a stream that is behind what was shown gets a new fence",
    file: "functions/core/room.ts",
    edits: [
      ["if (head < posThen) return this.#vanished();", ""],
      ["if (event.prev < this.#pos) return this.#vanished();", ""],
    ],
    noticedBy: [RULES, "\\[N3\\] a stream that vanished"],
  },
  {
    name: "canary",
    mechanism: "N3 a subscriber that does not hear its canary is replaced",
    file: "functions/adapters/room-feed-redis.ts",
    edits: [["if (!(await heard) && shard.subscribed) shard.client.disconnect(true);", "await heard;"]],
    noticedBy: [REDIS, "\\[N3\\] a subscriber that has gone deaf"],
  },
  {
    name: "interruption",
    mechanism: "N3 a feed that was cut says that it may have missed something",
    file: "functions/adapters/room-feed-redis.ts",
    edits: [["this.#listener?.onInterrupted();", ""]],
    noticedBy: [REDIS, "\\[N3\\] tells a subscriber"],
  },
  {
    name: "resume-links",
    mechanism: "N4 a resume whose events do not link is a reset",
    file: "functions/core/pages.ts",
    edits: [["if (event.prev !== cursor) return false;", ""]],
    noticedBy: [RULES, "\\[N4\\]"],
  },
  {
    name: "joining-room",
    mechanism: "N4 a room is not closed under a join",
    file: "functions/core/room.ts",
    edits: [["this.members.size === 0 && this.#joining.size === 0 &&", "this.members.size === 0 &&"]],
    noticedBy: [RULES, "\\[N4\\] a room is not closed"],
  },
  {
    name: "page-bound",
    mechanism: "N5 a page ends where the stream did when it was read",
    file: "functions/core/pages.ts",
    edits: [
      [
        "this.#store.eventsBefore(room, next(tail.head), PAGE_EVENTS + 1)",
        "this.#store.eventsBefore(room, undefined, PAGE_EVENTS + 1)",
      ],
    ],
    noticedBy: [RULES, "\\[N5\\] a page ends"],
  },
  {
    name: "stream-first",
    mechanism: "N5 the stream is read before the store",
    file: "functions/core/pages.ts",
    edits: [
      [
        "const { fence, tail } = await this.#newestTail(room);",
        "const early = await this.#store.eventsBefore(room, undefined, PAGE_EVENTS + 1);\n    const { fence, tail } = await this.#newestTail(room);",
      ],
      ["await this.#store.eventsBefore(room, next(tail.head), PAGE_EVENTS + 1)", "early"],
    ],
    noticedBy: [RULES, "\\[N5\\] what is stored and trimmed just before"],
  },
  {
    name: "saved-after-log",
    mechanism: "N6 `saved` follows the log's acknowledgement",
    file: "functions/core/flusher.ts",
    edits: [
      [
        "    const startMs = runtime.elapsed();\n    metrics.logBatch",
        "    const startMs = runtime.elapsed();\n    this.#tellSenders(entries);\n    metrics.logBatch",
      ],
    ],
    noticedBy: [RULES, "\\[N6\\] saved follows"],
  },
  {
    name: "confirm",
    mechanism: "N6 an old entry goes to the log only after the stream confirmed it",
    file: "functions/core/flusher.ts",
    edits: [["if (!isOld(entry)) return", "if (!isOld(entry) || isOld(entry)) return"]],
    noticedBy: [RULES, "\\[N6\\]"],
  },
  {
    name: "late-records",
    mechanism: "N8 the log takes no record after its time",
    file: "functions/adapters/kafka-topics.ts",
    edits: [["    { name: TIMESTAMP_BEFORE_MAX, value: String(QUARANTINE_MS) },\n", ""]],
    noticedBy: [KAFKA, "\\[N8\\] a batch that comes too late"],
  },
  {
    name: "node-resends",
    mechanism: "N6 what the stream has lost is sent again by the node itself",
    file: "functions/core/flusher.ts",
    edits: [["for (const entry of refused) void this.#resend(entry);", ""]],
    noticedBy: [RULES, "\\[N6\\] \\[N7\\]"],
  },
  {
    name: "judge",
    mechanism: "N7 a retry from before the fence is not left to Redis",
    file: "functions/core/judge.ts",
    edits: [["return since >= fence && uuidTimeMs(id)", "return (since >= fence || true) && uuidTimeMs(id)"]],
    noticedBy: [RULES, "\\[N7\\] a retry"],
  },
  {
    name: "judge-age",
    mechanism: "N7 an id older than Redis keeps it is not left to Redis",
    file: "functions/core/judge.ts",
    edits: [["this.#deps.runtime.now() - ID_TRUSTED_MS", "0"]],
    noticedBy: [RULES, "\\[N7\\] an id older"],
  },
  {
    name: "second-reset",
    mechanism: "N8 a page of the quarantine is followed by a settled one",
    file: "functions/core/hub.ts",
    edits: [["if (await this.#deps.settlement.check(fence.position)) await room.settle();", ""]],
    noticedBy: [RULES, "\\[N8\\]"],
  },
  {
    name: "care-anew",
    mechanism: "C5 under a new fence a stream is looked after from its beginning",
    file: "functions/core/reconcile.ts",
    edits: [["for (const room of rooms) this.#stored.delete(room);", "void 0;"]],
    noticedBy: ["functions/test/reconcile.test.ts", "once the memory has its fence"],
  },
  {
    name: "seen-under-one-fence",
    mechanism: "N7 a retry's place is looked at under the fence of its append",
    file: "functions/core/judge.ts",
    edits: [
      [
        "await this.#deps.stream.readAfter(room, fence, prev, 1);",
        "await this.#deps.fences.read(room, (now) => this.#deps.stream.readAfter(room, now, prev, 1));",
      ],
    ],
    noticedBy: ["functions/test/rules.test.ts", "is not called saved"],
  },
  {
    name: "older-waits",
    mechanism: "C5 what an older memory brought back waits until the store is settled",
    file: "functions/core/reconcile.ts",
    edits: [
      [
        "return isSettledAt(fence, caughtUpAtMs) ? late : late.filter(({ position }) => position > fence);",
        "return late;",
      ],
    ],
    noticedBy: ["functions/test/reconcile.test.ts", "is left until that memory has a fence"],
  },
  {
    name: "fence-of-memory",
    mechanism: "C5 the fence that the consumer goes by is that of the present memory",
    file: "functions/adapters/redis-scripts.ts",
    edits: [["return held[2] == memory and held[1] or ''", "return held[1] or ''"]],
    noticedBy: ["functions/test/room-stream-redis.test.ts", "the fence of the present memory alone"],
  },
  {
    name: "page-back-whole",
    mechanism: "N5 a page back has what waits in the stream to be stored",
    file: "functions/core/history.ts",
    edits: [["if (isStreamAway()) return undefined;", "if (isStreamAway() || room) return [];"]],
    noticedBy: ["functions/test/history.test.ts", "waits in the stream to be stored"],
  },
  {
    name: "page-back-source",
    mechanism: "N5 a page back that the store answered alone says so",
    file: "functions/core/history.ts",
    edits: [['return { ...stored, source: "store" };', "return stored;"]],
    noticedBy: ["functions/test/history.test.ts", "only the store could answer says so"],
  },
  {
    name: "page-back-doubt",
    mechanism: "K1 a page of the store alone leaves what it shows in doubt",
    file: "web/sdk/src/view.ts",
    edits: [['if (page.source === "store")', "if (page.source === undefined && view === undefined)"]],
    noticedBy: ["web/sdk/test/room.test.ts", "equals the truth"],
  },
  {
    name: "page-back-confirmed",
    mechanism: "K1 what only the store could confirm is asked for again",
    file: "web/sdk/src/history.ts",
    edits: [['if (page.source === "store") return false;', 'if (page.source === "store") return true;']],
    noticedBy: ["functions/test/simulation/simulation.test.ts", "a view keeps what was not"],
  },
  {
    name: "left-while-joining",
    mechanism: "G4 who is told to leave a room while it joins it goes by the answer to the join",
    file: "web/sdk/src/room-session.ts",
    edits: [["if (this.#room.isJoining) return;", ""]],
    noticedBy: ["web/sdk/test/client.test.ts", "goes by the answer to the join"],
  },
  {
    name: "page-back-order",
    mechanism: "N5 a page back reads the stream before the store",
    file: "functions/core/history.ts",
    edits: [
      ["const entries = await this.#inStream(room, range.before, limit);", ""],
      [
        "const stored = await store.eventsBefore(room, range.before, limit);",
        "const stored = await store.eventsBefore(room, range.before, limit);\n    const entries = await this.#inStream(room, range.before, limit);",
      ],
    ],
    noticedBy: ["functions/test/history.test.ts", "trimmed while a page is read"],
  },
  {
    name: "page-back-once",
    mechanism: "G2 a page back leaves out the first place of what is stored at another",
    file: "functions/core/history.ts",
    edits: [["return entries.filter(({ position }) => !moved.has(position));", "return entries;"]],
    noticedBy: ["functions/test/history.test.ts", "not shown beside the one"],
  },
  {
    name: "settled-before",
    mechanism: "N8 a page counts as settled by what the store said before it was read",
    file: "functions/core/room.ts",
    edits: [
      [
        "!(page.whole && isSettled && page.fence.position === fence)",
        "!(page.whole && (isSettled || (await settlement.check(fence))) && page.fence.position === fence)",
      ],
    ],
    noticedBy: ["functions/test/rules.test.ts", "before it was read"],
  },
  {
    name: "quarantine",
    mechanism: "N8 the store counts as settled only after the quarantine",
    file: "functions/core/settlement.ts",
    edits: [
      [
        "return caughtUpAtMs >= toMs(fence) + SETTLED_AFTER_MS;",
        "return caughtUpAtMs >= 0 && toMs(fence) > 0;",
      ],
    ],
    noticedBy: [RULES, "\\[N8\\]"],
  },
  {
    name: "idempotent-insert",
    mechanism: "C1 an event is stored once, however often it comes",
    file: "functions/adapters/store-prisma.ts",
    edits: [
      [
        "        ORDER BY room, id, position\n        ON CONFLICT DO NOTHING`",
        "        ORDER BY room, id, position`",
      ],
    ],
    noticedBy: ["functions/test/store-postgres.test.ts", "\\[C1\\] stores an event once"],
  },
  {
    name: "commit-after-insert",
    mechanism: "C2 an offset is committed only after its rows are",
    file: "functions/adapters/log-consumer-kafka.ts",
    edits: [
      [
        "      await handle(toLogBatch(payload));",
        "      await commitUpTo(payload, payload.batch.lastOffset());\n      await handle(toLogBatch(payload));",
      ],
    ],
    noticedBy: [KAFKA, "\\[G8\\] a consumer closed before"],
  },
  {
    name: "caught-up-end",
    mechanism: "C3 a partition is caught up when the end that was asked is reached",
    file: "functions/core/progress.ts",
    edits: [["pending && committed >= pending.end ? pending.atMs : undefined", "atMs"]],
    noticedBy: ["functions/test/progress.test.ts", "\\[C3\\]"],
  },
  {
    name: "trim-stored",
    mechanism: "C4 nothing unsaved leaves a stream",
    file: "functions/core/reconcile.ts",
    edits: [
      [
        "const last = events.findLast(({ position }) => hole === undefined || position < hole);",
        "const last = hole === undefined ? events.at(-1) : events.at(-1);",
      ],
    ],
    noticedBy: [RECONCILE, "\\[C4\\]"],
  },
  {
    name: "trim-by-one",
    mechanism: "C4 who trims goes by the length as it is, also when another has trimmed meanwhile",
    file: "functions/core/reconcile.ts",
    edits: [["oldest.slice(0, Math.max(0, length - this.#deps.keep))", "oldest.slice(0, length)"]],
    noticedBy: [RECONCILE, "\\[C4\\] two consumers"],
  },
  {
    name: "late-records-told",
    mechanism: "N8 the doctor warns of a topic that takes records after their time",
    file: "functions/adapters/preflight-kafka.ts",
    edits: [["if (name === TIMESTAMP_BEFORE_MAX && Number", "if (name === '' && Number"]],
    noticedBy: [DOCTOR, "\\[N8\\] a topic that takes records"],
  },
  {
    name: "reconcile",
    mechanism: "C5 what a dead node left behind goes to the log",
    file: "functions/core/reconcile.ts",
    edits: [["await log.append(late.map(", "await Promise.all(late.map("]],
    noticedBy: [RECONCILE, "\\[C5\\]"],
  },
  {
    name: "backlog-bound",
    mechanism: "G7 the backlog is bounded",
    file: "functions/core/flusher.ts",
    edits: [["if (this.backlog >= this.#deps.backlogMax) {", "if (this.backlog >= Infinity) {"]],
    noticedBy: [ENGINES, "\\[G7\\] past the backlog"],
  },
  {
    name: "idle-probe",
    mechanism: "G7 a log that is down while nobody writes is announced",
    file: "functions/core/flusher.ts",
    edits: [["return this.#isRunning ? undefined : this.#deps.log.ping();", "return undefined;"]],
    noticedBy: [DEGRADED, "Kafka down"],
  },
  {
    name: "slow-is-down",
    mechanism: "G7 a log that is slow stays announced while it acknowledges",
    file: "functions/core/flusher.ts",
    edits: [['health.report("kafka", tookMs < SLOW_MS);', 'health.report("kafka", true);']],
    noticedBy: [DEGRADED, "Kafka slow"],
  },
  {
    name: "poison",
    mechanism: "G9 a poison record is put aside with its reason",
    file: "functions/core/persist.ts",
    edits: [['await this.#putAside(batch, record, "invalid", error);', "void error;"]],
    noticedBy: ["functions/test/admin-dead-letters.test.ts", "\\[G9\\]"],
  },
  {
    name: "letter-removed",
    mechanism: "G9 a letter that was replayed or dropped is not listed again",
    file: "functions/adapters/dead-letters-kafka.ts",
    edits: [["if (target !== undefined) removed.add(target);", "if (target !== undefined) return;"]],
    noticedBy: [KAFKA, "\\[G9\\]"],
  },
  {
    name: "buffer-bound",
    mechanism: "G10 a reader that stops reading is closed at a byte bound",
    file: "functions/http/websocket.ts",
    edits: [["> this.#bufferBytesMax) return this.onSlow();", "> Infinity) return this.onSlow();"]],
    noticedBy: [SLOW_READER, "\\[G10\\]"],
  },
  {
    name: "drain-spread",
    mechanism: "G11 clients of a drained node do not all come back at once",
    file: "functions/core/node.ts",
    edits: [["RECONNECT_MS + this.#options.runtime.random() * spreadMs", "RECONNECT_MS + spreadMs"]],
    noticedBy: [PROCESSES, "\\[G11\\]"],
  },
  {
    name: "stage-in-names",
    mechanism: "G12 keys and channels carry the stage",
    file: "functions/adapters/redis-names.ts",
    edits: [["`skat:${stage}:{${hashTagOf", "`skat:${stage && 'all'}:{${hashTagOf"]],
    noticedBy: [REDIS, "seals stages"],
  },
  {
    name: "stage-of-records",
    mechanism: "G12 letters of another stage are left alone",
    file: "functions/adapters/dead-letters-kafka.ts",
    edits: [['if (headerOf(message, "stage") !== config.stage) return;', ""]],
    noticedBy: [KAFKA, "\\[G12\\] letters"],
  },
  {
    name: "stage-of-tokens",
    mechanism: "G12 a token of another stage is refused",
    file: "functions/adapters/auth-jwt.ts",
    edits: [["        issuer: this.#issuer,\n", ""]],
    noticedBy: ["functions/test/auth-jwt.test.ts", "\\[G12\\]"],
  },
  {
    name: "signature-of-tokens",
    mechanism: "G13 a token's signature is compared",
    file: "functions/adapters/auth-jwt.ts",
    edits: [["    if (!isSame(signature, made)) throw invalidToken();\n", ""]],
    noticedBy: ["functions/test/auth-jwt.test.ts", "changed claims"],
  },
  {
    name: "header-of-tokens",
    mechanism: "G13 a token with a header that is not ours is refused",
    file: "functions/adapters/auth-jwt.ts",
    edits: [["header !== HEADER || payload", "payload"]],
    noticedBy: ["functions/test/auth-jwt.test.ts", "a header with more in it"],
  },
  {
    name: "sasl-copy",
    mechanism: "kafkajs does not write into the configuration's credentials",
    file: "functions/adapters/kafka-client.ts",
    edits: [["sasl: { ...config.sasl }", "sasl: config.sasl"]],
    noticedBy: [DOCTOR, "with SCRAM"],
  },
  {
    name: "preflight",
    mechanism: "a node looks at its engines before it uses them",
    file: "functions/node.ts",
    edits: [["    await preflight(deps);\n", ""]],
    noticedBy: [DOCTOR, "a node that can't use its engines"],
  },
  {
    name: "eviction",
    mechanism: "a Redis that may throw messages away is refused",
    file: "functions/adapters/preflight-redis.ts",
    edits: [['if (policy === "noeviction") return policy;', "return policy;"]],
    noticedBy: [DOCTOR, "eviction"],
  },
  {
    name: "clocks",
    mechanism: "clocks that are too far apart are refused",
    file: "functions/adapters/preflight-redis.ts",
    edits: [["if (apartMs <= CLOCK_MARGIN_MS / 2) return", "if (apartMs >= 0) return"]],
    noticedBy: [DOCTOR, "clocks that are apart"],
  },
  {
    name: "look-only",
    mechanism: "the look at the right to write writes nothing",
    file: "functions/adapters/preflight-kafka.ts",
    edits: [["const IMPOSSIBLE_ACKS = 2;", "const IMPOSSIBLE_ACKS = 1;"]],
    noticedBy: [DOCTOR, "looking writes nothing"],
  },
  {
    name: "redis-user",
    mechanism: "G12 a stage's user of Redis reaches its own names only",
    file: "functions/adapters/stage-redis.ts",
    edits: [["`~${names}`", '"~*"']],
    noticedBy: [STAGES, "the user of pr-1 may neither"],
  },
  {
    name: "kafka-prefix",
    mechanism: "G12 one stage's name may be the beginning of another's",
    file: "functions/adapters/stage-kafka.ts",
    edits: [["const prefix = `skat.${stage}.`;", "const prefix = `skat.${stage}`;"]],
    noticedBy: [STAGES, "the user of pr-1 may neither"],
  },
  {
    name: "nothing-late",
    mechanism: "N1 nothing that waited on one connection is written to the next",
    file: "functions/adapters/redis-connection.ts",
    edits: [["maxRetriesPerRequest: 0,", "maxRetriesPerRequest: 20,"]],
    noticedBy: ["functions/test/room-stream-redis.test.ts", "what waits behind an answer"],
  },
  {
    name: "written-own",
    mechanism: "bytes are shared only by sockets that have the same frames waiting",
    file: "functions/lib/websocket-frames.ts",
    edits: [[" &&\n    frames.every((frame, index) => frame === joined?.frames[index])", ""]],
    noticedBy: ["functions/test/connection.test.ts", "members of different rooms"],
  },
  {
    name: "production-stays",
    mechanism: "the stage production is not removed by a command",
    file: "functions/core/stages.ts",
    edits: [["if (PROTECTED.has(stage))", "if (false)"]],
    noticedBy: [STAGES, "production is never removed"],
  },
  {
    name: "follow-in-time",
    mechanism: "G13 a change takes effect although its notice was lost",
    file: "functions/core/follower.ts",
    edits: [["const FOLLOW_MS = 1_500;", "const FOLLOW_MS = 600_000;"]],
    noticedBy: [ROOMS, "real engines.*without a notice"],
  },
  {
    name: "late-join",
    mechanism: "G13 who is put out while it joins gets no page",
    file: "functions/core/room.ts",
    edits: [["    if (!member.hears(this.id)) return;\n", ""]],
    noticedBy: [LATE_CHANGES, "join is under way gets no page"],
  },
  {
    name: "late-change",
    mechanism: "G13 a change of the room counts for who is joining it",
    file: "functions/core/room.ts",
    edits: [["[...this.members, ...this.#joining]", "[...this.members]"]],
    noticedBy: [LATE_CHANGES, "archived while a join is under way"],
  },
  {
    name: "late-history",
    mechanism: "G13 who is put out while its page of history is read does not get it",
    file: "functions/http/chat-routes.ts",
    edits: [
      [
        "        await checkStanding(); // who was put out meanwhile gets nothing of what was said since\n",
        "",
      ],
    ],
    noticedBy: [LATE_CHANGES, "page of history is being read"],
  },
  {
    name: "out-of-the-room",
    mechanism: "G13 who is no member any more hears nothing more",
    file: "functions/core/session.ts",
    edits: [["    this.#detach(room);\n", ""]],
    noticedBy: [ROOMS, "embedded.*a ban takes effect"],
  },
  {
    name: "retry-of-the-banned",
    mechanism: "G2 a retry of what was sent before a ban gets its first answer again",
    file: "functions/core/session.ts",
    edits: [["maybeSent ? await chat.repeat(send) : undefined", "maybeSent ? undefined : undefined"]],
    noticedBy: [ROOMS, "embedded.*retry of what was sent"],
  },
  {
    name: "unknown-to-strangers",
    mechanism: "G13 a private room is unknown to strangers",
    file: "functions/core/permissions.ts",
    edits: [['(!member && standing.room.kind !== "public")', "false"]],
    noticedBy: [ROOMS, "embedded.*answers a stranger exactly"],
  },
  {
    name: "counted-together",
    mechanism: "nodes count rates together",
    file: "functions/adapters/rate-limiter.ts",
    edits: [["(this.#shards?.at(COMMON_PARTITION)?.limiters ?? this.#own)", "this.#own"]],
    noticedBy: ["functions/test/limits.test.ts", "two nodes count together"],
  },
  {
    name: "trusted-hops",
    mechanism: "an address is believed of trusted proxies only",
    file: "functions/lib/client-address.ts",
    edits: [["hops.at(-trustedHops)", "hops.at(0)"]],
    noticedBy: ["functions/test/limits.test.ts", "client wrote a header itself"],
  },
  {
    name: "revocation-trigger",
    mechanism: "G13 a session that is deleted is called back",
    file: "prisma/migrations/20261124150000_accounts/migration.sql",
    edits: [["VALUES ('session:' || OLD.", "VALUES ('nothing:' || OLD."]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*signing out ends"],
  },
  {
    name: "origin-check",
    mechanism: "a page of another origin can't use a visitor's cookie",
    file: "functions/http/security.ts",
    edits: [
      ["if (!SAFE_METHODS.has(c.req.method) && !isAllowed)", "if (c.req.method === 'NONE' && !isAllowed)"],
    ],
    noticedBy: [ACCOUNTS, "accounts on embedded.*a page of another origin"],
  },
  {
    name: "scopes",
    mechanism: "a token that was made to read can't write",
    file: "functions/core/auth.ts",
    edits: [["if (scopes !== undefined && !scopes.includes(scope))", "if (scopes?.length === 0 && scope)"]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*the printed code"],
  },
  {
    name: "guess-limit",
    mechanism: "guessing a password is slowed down by the account, however it is written",
    file: "functions/http/accounts.ts",
    edits: [
      ['if (email !== undefined) await rates.take("signIns"', 'if (email === "") await rates.take("signIns"'],
    ],
    noticedBy: [ACCOUNTS, "accounts on embedded.*guessing a password"],
  },
  {
    name: "guest-token-ends",
    mechanism: "the token of a guest ends when it becomes a member",
    file: "functions/sign-in.ts",
    edits: [["revocations.revoke(`guest:${user}`", "revocations.revoke(`nobody:${user}`"]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*a guest who signs up"],
  },
  {
    name: "other-users-token",
    mechanism: "a session stays its user's: another user's token is refused",
    file: "functions/core/session.ts",
    edits: [["if (isOther && !this.#isAssumed)", "if (isOther && this.#closed)"]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*an upgrade with the cookie"],
  },
  {
    name: "slow-requests",
    mechanism: "a request that comes byte by byte is cut",
    file: "functions/http/server.ts",
    edits: [
      ["headersTimeout: 8_000", "headersTimeout: 600_000"],
      ["requestTimeout: 30_000", "requestTimeout: 600_000"],
    ],
    noticedBy: ["functions/test/bad-input.test.ts", "embedded.*byte by byte"],
  },
  {
    name: "issuer-is-text",
    mechanism: "what a token claims is not believed to be a text",
    file: "functions/adapters/auth-jwt.ts",
    edits: [['return typeof iss === "string" ? iss : undefined;', "return iss as string;"]],
    noticedBy: ["functions/test/fuzz.test.ts", "no token but the server's own"],
  },
  ...CLUSTER_MUTATIONS,
  ...READ_MARK_MUTATIONS,
  ...OWN_DATA_MUTATIONS,
  ...EVENT_PERIOD_MUTATIONS,
  ...PAGE_MUTATIONS,
  ...INFRA_MUTATIONS,
  ...SOCKETIO_MUTATIONS,
];
