/** What takes the log to the store, and looks after the streams. */
import type { Mutation } from "./mutations.ts";

const RULES = "functions/test/rules.test.ts";
const RECONCILE = "functions/test/reconcile.test.ts";
const KAFKA = "functions/test/event-log-kafka.test.ts";
const DOCTOR = "functions/test/doctor.test.ts";

export const CONSUMER_MUTATIONS: readonly Mutation[] = [
  {
    name: "late-records",
    mechanism: "N8 the log takes no record after its time",
    file: "functions/adapters/kafka-topics.ts",
    edits: [["    { name: TIMESTAMP_BEFORE_MAX, value: String(QUARANTINE_MS) },\n", ""]],
    noticedBy: [KAFKA, "\\[N8\\] a batch that comes too late"],
  },
  {
    name: "care-anew",
    mechanism: "C5 under a new fence a stream is looked after from its beginning",
    file: "functions/core/reconcile.ts",
    edits: [["for (const room of rooms) this.#stored.delete(room);", "void 0;"]],
    noticedBy: ["functions/test/reconcile.test.ts", "once the memory has its fence"],
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
    name: "poison",
    mechanism: "G9 a poison record is put aside with its reason",
    file: "functions/core/persist.ts",
    edits: [['await this.#putAside(batch, record, "invalid", error);', "void error;"]],
    noticedBy: ["functions/test/faults/guarantees.test.ts", "poison records go"],
  },
  {
    name: "letter-removed",
    mechanism: "G9 a letter that was replayed or dropped is not listed again",
    file: "functions/adapters/dead-letters-kafka.ts",
    edits: [["if (target !== undefined) removed.add(target);", "if (target !== undefined) return;"]],
    noticedBy: [KAFKA, "\\[G9\\]"],
  },
];
