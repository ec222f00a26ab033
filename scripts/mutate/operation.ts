/** What keeps a deployment whole: bounds, drain, sealed stages, and the look at the engines before they are used. */
import type { Mutation } from "./mutations.ts";

const REDIS = "functions/test/room-stream-redis.test.ts";
const KAFKA = "functions/test/event-log-kafka.test.ts";
const ENGINES = "functions/test/faults/engines.test.ts";
const PROCESSES = "functions/test/faults/processes.test.ts";
const SLOW_READER = "functions/test/faults/slow-reader.test.ts";
const DEGRADED = "functions/test/faults/degraded.test.ts";
const DOCTOR = "functions/test/doctor.test.ts";
const STAGES = "functions/test/faults/stages.test.ts";

export const OPERATION_MUTATIONS: readonly Mutation[] = [
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
];
