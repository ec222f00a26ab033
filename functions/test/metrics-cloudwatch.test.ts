/** Metrics for CloudWatch: the lines that it makes metrics of. */
import { afterEach, describe, expect, it } from "vitest";
import { CLOUDWATCH_METRICS, logMetrics, type CloudwatchService } from "../adapters/metrics-cloudwatch.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import type { Cancel, Runtime } from "../core/runtime.ts";
import { createMetrics, METRICS } from "../lib/metrics.ts";
import { describeEngine } from "./engines.ts";
import { startConsumer, startNode, type Running } from "./harness.ts";
import { RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

interface Line {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

let cancel: Cancel = () => {};
afterEach(() => cancel());

/** Lines are asked for one by one: time passes when the test says so. */
function start(service: CloudwatchService, everyMs = 60_000) {
  const metrics = createMetrics();
  const lines: string[] = [];
  const due: { delayMs: number; task: () => void }[] = [];
  let written: (line: Line) => void = () => {};
  const runtime: Runtime = {
    ...systemRuntime,
    now: () => 1_700_000_000_000,
    after: (delayMs, task) => {
      due.push({ delayMs, task });
      return () => {};
    },
  };
  const write = (line: string) => {
    lines.push(line);
    written(JSON.parse(line) as Line);
  };
  cancel = logMetrics({ stage: "pr-12", service, metrics, runtime, everyMs, write });
  const next = () =>
    new Promise<Line>((resolve) => {
      written = resolve;
      due.shift()?.task();
    });
  return { metrics, lines, due, next };
}

describe("metrics for CloudWatch", () => {
  it.each(["node", "consumer"] as const)(
    "a line of the %s is of the embedded metric format",
    async (service) => {
      const line = await start(service).next();
      expect(line).toMatchObject({ stage: "pr-12", service });
      expect(line._aws.Timestamp).toBe(1_700_000_000_000);
      const [directive] = line._aws.CloudWatchMetrics;
      expect(directive).toMatchObject({ Namespace: "Skat", Dimensions: [["stage", "service"]] });
      const names = directive?.Metrics.map(({ Name }) => Name) ?? [];
      expect(names).toEqual(CLOUDWATCH_METRICS[service].map((name) => METRICS[name].name));
      for (const name of names) expect(line[name]).toBeTypeOf("number");
      for (const dimension of directive?.Dimensions.flat() ?? [])
        expect(line[dimension]).toBeTypeOf("string");
    },
  );

  it("a gauge is told as it is, each time", async () => {
    const { metrics, next } = start("node");
    metrics.connections.inc(3);
    expect((await next())["skat_node_connections"]).toBe(3);
    metrics.connections.dec();
    expect((await next())["skat_node_connections"]).toBe(2);
  });

  it("a counter is told by its growth, all series together", async () => {
    const { metrics, next } = start("consumer");
    metrics.deadLetters.inc({ reason: "invalid" });
    metrics.deadLetters.inc({ reason: "unstorable" }, 2);
    expect((await next())["skat_consumer_dead_letters_total"]).toBe(3);
    expect((await next())["skat_consumer_dead_letters_total"]).toBe(0);
    metrics.deadLetters.inc({ reason: "invalid" });
    expect((await next())["skat_consumer_dead_letters_total"]).toBe(1);
  });

  it("what is only known when asked is asked for", async () => {
    const { metrics, next } = start("consumer");
    metrics.beforeRender(() => metrics.oldestUnstoredSeconds.set(42));
    expect((await next())["skat_consumer_oldest_unstored_seconds"]).toBe(42);
  });

  it("come at the interval, not at all with 0, and no more after the end", async () => {
    const { due, lines, next } = start("node", 5_000);
    await next();
    expect(due.map(({ delayMs }) => delayMs)).toEqual([5_000]);
    cancel();
    due.shift()?.task();
    await new Promise(setImmediate);
    expect(lines).toHaveLength(1);
    expect(start("node", 0).due).toEqual([]);
  });
});

describeEngine(["redis", "kafka", "postgres"], "metrics for CloudWatch, from real processes", (engines) => {
  const running: Running[] = [];
  const env = {
    STAGE: `cloudwatch-${process.pid}`,
    AUTH_SECRET: "a-secret-that-is-only-used-in-this-test",
    METRICS_LOG_MS: "200",
    REDIS_URL: engines.redisUrl,
    KAFKA_BROKERS: engines.kafkaBrokers,
    DATABASE_URL: engines.databaseUrl,
  };
  afterEach(() => Promise.all(running.splice(0).map((each) => each.kill())));

  /** The lines that a process has written, as CloudWatch finds them in its log. */
  const linesOf = (process: Running): Line[] =>
    process
      .output()
      .split("\n")
      .filter((line) => line.startsWith('{"_aws"') && line.endsWith("}"))
      .map((line) => JSON.parse(line) as Line);

  it("the node tells its connections, and the consumer how far behind it is", async () => {
    const [node, consumer] = await Promise.all([startNode(env), startConsumer(env)]);
    running.push(node, consumer);
    const client = await RawClient.open(node.url);
    const told = await waitFor(
      () => linesOf(node).find((line) => line["skat_node_connections"] === 1),
      "the node to tell one connection",
    );
    expect(told).toMatchObject({ stage: env.STAGE, service: "node" });
    client.close();
    await waitFor(() => linesOf(node).at(-1)?.["skat_node_connections"] === 0, "the node to tell none");
    await waitFor(
      () => linesOf(consumer).some((line) => line["skat_consumer_oldest_unstored_seconds"] === 0),
      "the consumer to tell that all is stored",
    );
  }, 120_000);
});
