/** Plans that once failed, made small, each with what it showed and what mended it. They run with every test run. */
import type { Plan } from "./plan.ts";

export interface Regression {
  readonly why: string;
  readonly plan: Plan;
}

export const REGRESSIONS: readonly Regression[] = [
  {
    why: "[G3] a message that its node sent again, since Redis had lost it, is saved at the place that its sender was told last",
    plan: {
      seed: 82,
      nodes: 3,
      consumers: 2,
      rooms: 4,
      privateRooms: 0,
      streamKeep: 20,
      busyMs: 62_000,
      clients: [{ index: 11, rooms: [0, 3], messagesPerSecond: 0.7318602482000222 }],
      faults: [
        { index: 6, kind: "redis_restored", atMs: 11_038, durationMs: 6_202 },
        { index: 7, kind: "kafka_down", atMs: 10_467, durationMs: 11_526 },
      ],
    },
  },
  {
    why: "[G1] [G2] a message that was sent again after its stream was lost has one place, though an older memory with its first one comes back",
    plan: {
      seed: 100_738,
      nodes: 2,
      consumers: 2,
      rooms: 2,
      privateRooms: 0,
      streamKeep: 60,
      busyMs: 62_000,
      clients: [{ index: 18, rooms: [0, 1], messagesPerSecond: 0.12633670819433113 }],
      faults: [
        { index: 2, kind: "redis_restored", atMs: 23_133, durationMs: 6_245 },
        { index: 4, kind: "consumer_disaster", atMs: 13_813, durationMs: 604 },
        { index: 6, kind: "kafka_down", atMs: 2_485, durationMs: 12_813 },
      ],
    },
  },
  {
    why: "[G4] a page that says it is settled was read when that was known already, and lacks nothing that was stored meanwhile",
    plan: {
      seed: 2_001_878,
      nodes: 2,
      consumers: 2,
      rooms: 4,
      streamKeep: 60,
      privateRooms: 1,
      busyMs: 62_000,
      clients: [
        { index: 8, rooms: [0], messagesPerSecond: 0.5519934695383365 },
        { index: 18, rooms: [0, 1], messagesPerSecond: 0.5197509141300212 },
        { index: 21, rooms: [0, 3], messagesPerSecond: 0.4739294375546954 },
      ],
      faults: [
        { index: 5, kind: "postgres_slow", atMs: 21_705, durationMs: 7_050 },
        { index: 11, kind: "consumer_disaster", atMs: 14_077, durationMs: 7_789 },
      ],
    },
  },
  {
    why: "[G3] [C5] what was shown, lost with its stream and brought back by an older memory is saved, though the care for the streams was past it",
    plan: {
      seed: 2_002_274,
      nodes: 2,
      consumers: 1,
      rooms: 3,
      streamKeep: 20,
      privateRooms: 0,
      busyMs: 62_000,
      clients: [
        { index: 2, rooms: [0, 1], messagesPerSecond: 0.5420700759829385 },
        { index: 3, rooms: [0, 1], messagesPerSecond: 0.1852780584407889 },
        { index: 4, rooms: [1], messagesPerSecond: 0.23651522265180297 },
        { index: 5, rooms: [0, 1], messagesPerSecond: 0.2520225658364918 },
      ],
      faults: [
        { index: 1, kind: "redis_restored", atMs: 36_617, durationMs: 422 },
        { index: 4, kind: "disaster", atMs: 19_534, durationMs: 5_312 },
      ],
    },
  },
  {
    why: "[G3] a retry is not called saved because its place was lost with Redis's memory between the append's answer and the look at it",
    plan: {
      seed: 1795570388,
      nodes: 3,
      consumers: 1,
      rooms: 2,
      streamKeep: 60,
      privateRooms: 0,
      busyMs: 62000,
      clients: [
        { index: 0, rooms: [0], messagesPerSecond: 0.4362493651704147 },
        { index: 1, rooms: [0], messagesPerSecond: 0.6106039895174595 },
        { index: 2, rooms: [1, 0], messagesPerSecond: 0.893084494339732 },
        { index: 3, rooms: [0], messagesPerSecond: 0.3047820439992043 },
        { index: 4, rooms: [0], messagesPerSecond: 0.6367212913643856 },
        { index: 5, rooms: [0, 1], messagesPerSecond: 0.8272244688696586 },
        { index: 10, rooms: [0, 1], messagesPerSecond: 0.252429489676769 },
        { index: 11, rooms: [0, 1], messagesPerSecond: 0.8565169161615463 },
        { index: 12, rooms: [0, 1], messagesPerSecond: 1.0373739507622444 },
      ],
      faults: [
        { index: 3, kind: "node_crash", atMs: 25398, durationMs: 3271 },
        { index: 4, kind: "kafka_down", atMs: 19939, durationMs: 14196 },
        { index: 5, kind: "client_crash", atMs: 15153, durationMs: 200 },
        { index: 8, kind: "redis_flushed", atMs: 25546, durationMs: 200 },
      ],
    },
  },
  {
    why: "[C5] a first place that an older memory brought back is not stored while the second, acknowledged one is on its way to the log",
    plan: {
      seed: 4001568,
      nodes: 3,
      consumers: 1,
      rooms: 4,
      streamKeep: 60,
      privateRooms: 1,
      busyMs: 62000,
      clients: [
        { index: 6, rooms: [0, 2], messagesPerSecond: 0.3340694989037254 },
        { index: 7, rooms: [0], messagesPerSecond: 0.4454493825364371 },
        { index: 8, rooms: [0, 2], messagesPerSecond: 0.2949331702097602 },
        { index: 9, rooms: [0, 3], messagesPerSecond: 0.5355481091238882 },
        { index: 10, rooms: [0, 1], messagesPerSecond: 0.3343690334130888 },
        { index: 11, rooms: [0], messagesPerSecond: 0.20092171908396741 },
      ],
      faults: [
        { index: 4, kind: "kafka_requests_held", atMs: 20284, durationMs: 13622 },
        { index: 6, kind: "redis_restored", atMs: 31088, durationMs: 331 },
      ],
    },
  },
  {
    why: "[K1] [N5] a view that was confirmed while the log was away keeps what was not stored yet",
    plan: {
      seed: 1795574947,
      nodes: 3,
      consumers: 2,
      rooms: 3,
      streamKeep: 110,
      privateRooms: 1,
      busyMs: 62000,
      clients: [
        { index: 0, rooms: [0, 2], messagesPerSecond: 1.1776966752992435, sdk: true },
        { index: 1, rooms: [0, 1], messagesPerSecond: 0.24258562130006875, sdk: true },
        { index: 2, rooms: [0], messagesPerSecond: 0.4694168034602295, sdk: false },
        { index: 3, rooms: [0, 2], messagesPerSecond: 0.4581449167294936, sdk: true },
        { index: 4, rooms: [0, 2], messagesPerSecond: 1.178505711663853, sdk: false },
        { index: 5, rooms: [0, 1], messagesPerSecond: 0.5702819312499328, sdk: true },
        { index: 6, rooms: [0, 1], messagesPerSecond: 0.957380426878279, sdk: false },
        { index: 7, rooms: [1, 0], messagesPerSecond: 0.9388216603547335, sdk: false },
        { index: 8, rooms: [0, 2], messagesPerSecond: 0.678598480637778, sdk: true },
        { index: 10, rooms: [0, 2], messagesPerSecond: 0.5281206782229922, sdk: false },
      ],
      faults: [{ index: 7, kind: "kafka_frozen", atMs: 2526, durationMs: 9925 }],
    },
  },
  {
    why: "[K1] [N5] a view keeps what was not stored yet, though the store alone answered what was to confirm it",
    plan: {
      seed: 7000007,
      nodes: 2,
      consumers: 1,
      rooms: 2,
      streamKeep: 110,
      privateRooms: 0,
      busyMs: 62000,
      clients: [
        { index: 9, rooms: [0], messagesPerSecond: 0.4434950954888177, sdk: true },
        { index: 10, rooms: [0], messagesPerSecond: 0.21154059766103392, sdk: false },
        { index: 11, rooms: [0], messagesPerSecond: 0.21014376896555007, sdk: false },
        { index: 13, rooms: [0, 1], messagesPerSecond: 0.21076385267078873, sdk: true },
        { index: 14, rooms: [1], messagesPerSecond: 0.1282193925069726, sdk: false },
        { index: 18, rooms: [0, 1], messagesPerSecond: 0.3686459255445263, sdk: false },
        { index: 19, rooms: [0, 1], messagesPerSecond: 0.5147195236190505, sdk: false },
        { index: 21, rooms: [0], messagesPerSecond: 0.566497264025004, sdk: false },
        { index: 22, rooms: [0, 1], messagesPerSecond: 0.18313902639176532, sdk: true },
      ],
      faults: [
        { index: 2, kind: "redis_crash", atMs: 31580, durationMs: 5659 },
        { index: 3, kind: "postgres_commits_unknown", atMs: 12421, durationMs: 5972 },
        { index: 6, kind: "kafka_frozen", atMs: 22037, durationMs: 10287 },
        { index: 9, kind: "redis_replies_lost", atMs: 44443, durationMs: 3319 },
      ],
    },
  },
];
