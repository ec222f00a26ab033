/** The way of a message from its send to the log: the append, its fence, the feed, the flusher and the judge of retries. */
import type { Mutation } from "./mutations.ts";

const SCRIPTS = "functions/adapters/redis-scripts.ts";
const REDIS = "functions/test/room-stream-redis.test.ts";
const RULES = "functions/test/rules.test.ts";

export const MESSAGE_MUTATIONS: readonly Mutation[] = [
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
    name: "joining-room",
    mechanism: "N4 a room is not closed under a join",
    file: "functions/core/room.ts",
    edits: [["this.members.size === 0 && this.#joining.size === 0 &&", "this.members.size === 0 &&"]],
    noticedBy: [RULES, "\\[N4\\] a room is not closed"],
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
    name: "nothing-late",
    mechanism: "N1 nothing that waited on one connection is written to the next",
    file: "functions/adapters/redis-connection.ts",
    edits: [["maxRetriesPerRequest: 0,", "maxRetriesPerRequest: 20,"]],
    noticedBy: ["functions/test/room-stream-redis.test.ts", "what waits behind an answer"],
  },
  {
    name: "older-memory-seen",
    mechanism: "N3 an older memory that holds all that a node shows is noticed before anybody writes",
    file: "functions/adapters/redis-scripts.ts",
    edits: [["local answer = { held[2] == memory and held[1] or '' }", "local answer = { held[1] or '' }"]],
    noticedBy: ["functions/test/room-stream-redis.test.ts", "sees that an older memory came back"],
  },
];
