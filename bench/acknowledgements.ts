/** From sending a message to its two ticks, beside a bare round trip to Redis at the same rate from the same process. */
import { runGenerator } from "./generate.ts";
import type { AcknowledgementsJob, AcknowledgementsOutcome } from "./generator/acknowledgements.ts";
import { oncePerRound, type Row, type Sample } from "./row.ts";
import { startSkat } from "./systems.ts";

const PER_SECOND = 200;

const measure = oncePerRound(async (engines, { isQuick }) => {
  const system = await startSkat(engines, 1);
  try {
    const job: AcknowledgementsJob = {
      port: system.ports[0] ?? 0,
      token: system.token,
      room: system.room,
      redisUrl: engines.redisUrl,
      perSecond: PER_SECOND,
      bodyBytes: 200,
      warmUpMs: 1_000,
      timedMs: isQuick ? 2_000 : 6_000,
    };
    return await runGenerator<AcknowledgementsOutcome>("acknowledgements", job);
  } finally {
    await system.end();
  }
});

export const sentRow: Row = {
  name: "sent",
  title: `send → sent, ${PER_SECOND} messages/s, p50, against a bare round trip to Redis; send → saved beside it`,
  unit: "ms",
  contenders: [
    {
      name: "skat",
      measure: async (engines, options) => {
        const { sent, saved, lost, generatorShare } = await measure(engines, options);
        const more: Sample["more"] = {
          "sent p50 ms": sent.p50,
          "sent p99 ms": sent.p99,
          "saved p50 ms": saved.p50,
          "saved p99 ms": saved.p99,
        };
        return { value: sent.p50, faults: lost, generatorShare, more };
      },
    },
    {
      name: "Redis",
      measure: async (engines, options) => {
        const { redis, generatorShare } = await measure(engines, options);
        return { value: redis.p50, faults: 0, generatorShare, more: { "p99 ms": redis.p99 } };
      },
    },
  ],
  targets: [{ against: "Redis", atLeast: 1 / 2 }],
};
