/** Metrics: the table's names and labels, and what a scrape sees. */
import { describe, expect, expectTypeOf, it } from "vitest";
import { createMetrics, METRICS } from "../lib/metrics.ts";

const UNITS = /_(total|seconds|messages|bytes|records|connections|sessions|rooms|up)$/;

describe("metrics", () => {
  it.each(Object.entries(METRICS))("%s is named by part, thing and unit, and explained", (_, spec) => {
    expect(spec.name).toMatch(/^skat_[a-z]+(_[a-z]+)+$|^skat_engine_up$/);
    expect(spec.name).toMatch(UNITS);
    expect(spec.name.endsWith("_total")).toBe(spec.type === "counter");
    expect(spec.help).toMatch(/^[A-Z1`].+\.$/);
  });

  it("no name is used twice, and no label is one of the endless kind", () => {
    const specs = Object.values(METRICS);
    expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
    const labels = specs.flatMap((spec) => ("labels" in spec ? Object.keys(spec.labels) : []));
    expect(labels.filter((label) => /user|room|id|session/.test(label))).toEqual([]);
  });

  it("count, and are shown", async () => {
    const metrics = createMetrics();
    metrics.sends.inc({ outcome: "appended" });
    metrics.sends.inc({ outcome: "appended" }, 2);
    metrics.connections.inc();
    metrics.connections.inc();
    metrics.connections.dec();
    metrics.consumerLag.set({ partition: 3 }, 12);
    metrics.engineUp.set({ engine: "kafka" }, 1);
    metrics.sentSeconds.observe(0.003);
    metrics.eventsDelivered.inc(7);
    const text = await metrics.render();
    expect(text).toContain('skat_chat_sends_total{outcome="appended"} 3\n');
    expect(text).toContain("skat_node_connections 1\n");
    expect(text).toContain('skat_consumer_lag_records{partition="3"} 12\n');
    expect(text).toContain('skat_engine_up{engine="kafka"} 1\n');
    expect(text).toContain('skat_chat_sent_seconds_bucket{le="0.002"} 0\n');
    expect(text).toContain('skat_chat_sent_seconds_bucket{le="0.005"} 1\n');
    expect(text).toContain("skat_hub_events_delivered_total 7\n");
  });

  it("show every series that is known before its first event", async () => {
    const text = await createMetrics().render();
    expect(text).toContain('skat_chat_sends_total{outcome="refused"} 0\n');
    expect(text).toContain('skat_session_errors_sent_total{code="backlog_full"} 0\n');
    expect(text).toContain('skat_session_closes_total{reason="slow_client"} 0\n');
    expect(text).toContain("skat_consumer_stored_after_settled_total 0\n");
  });

  it("of two nodes in one process do not mix", async () => {
    const [first, second] = [createMetrics(), createMetrics()];
    first.fencesOpened.inc();
    expect(await first.render()).toContain("skat_stream_fences_total 1\n");
    expect(await second.render()).toContain("skat_stream_fences_total 0\n");
  });

  it("ask for what is only known at a scrape, each time", async () => {
    const metrics = createMetrics();
    let ageSeconds = 1;
    metrics.beforeRender(() => metrics.backlogOldestSeconds.set(ageSeconds));
    metrics.beforeRender(async () => metrics.backlogMessages.set(5));
    expect(await metrics.render()).toContain("skat_log_backlog_oldest_seconds 1\n");
    ageSeconds = 2;
    const text = await metrics.render();
    expect(text).toContain("skat_log_backlog_oldest_seconds 2\n");
    expect(text).toContain("skat_log_backlog_messages 5\n");
  });

  it("of the process are there when asked for", async () => {
    const text = await createMetrics({ process: true }).render();
    expect(text).toContain("nodejs_eventloop_lag_seconds");
    expect(text).toContain("process_resident_memory_bytes");
    expect(await createMetrics().render()).not.toContain("nodejs_");
  });

  it("take only the labels and values of the table", () => {
    const metrics = createMetrics();
    expectTypeOf(metrics.sends.inc).parameter(0).toEqualTypeOf<{
      readonly outcome: "appended" | "repeated" | "refused";
    }>();
    expectTypeOf(metrics.eventsReceived.inc).parameters.toEqualTypeOf<[by?: number]>();
    // @ts-expect-error An outcome that is not in the table.
    void (() => metrics.sends.inc({ outcome: "lost" }));
    // @ts-expect-error A histogram without its value.
    void (() => metrics.sentSeconds.observe());
  });
});
