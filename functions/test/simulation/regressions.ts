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
];
