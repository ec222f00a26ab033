/** Every metric, declared as data; `createMetrics` makes handles of the table's names. No user, room or message id is ever a label. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { CLOSES, ERRORS, type ClientFrame, type CloseReason, type ErrorCode } from "../protocol.ts";
import type { Engine, ResetReason } from "../protocol.ts";

/** From one Redis round trip (about a millisecond) up to the ten seconds after which a client gives up. */
const REPLY_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** From a broker's acknowledgement up to an outage: a message may wait for minutes to be saved. */
const SAVED_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];
/** From a lone message up to a full batch. */
const BATCH_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500];

const FRAME_TYPES = [
  "auth",
  "join",
  "leave",
  "send",
  "read",
] as const satisfies readonly ClientFrame["type"][];
const RESET_REASONS = ["fence", "gap", "too_far", "settled"] as const satisfies readonly ResetReason[];
const ENGINES = ["redis", "kafka", "postgres"] as const satisfies readonly Engine[];
const PAGE_SOURCES = ["ring", "stream", "store", "reset"] as const;
const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];
const CLOSE_REASONS = Object.keys(CLOSES) as CloseReason[];

/** A label's possible values; `"any"` where they are numbers known only at run time, such as a log partition's. */
type LabelValues = readonly string[] | "any";

interface MetricSpec {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, LabelValues>>;
  readonly buckets?: readonly number[];
}

export const METRICS = {
  connections: { type: "gauge", name: "skat_node_connections", help: "Sockets that are open." },
  sessions: { type: "gauge", name: "skat_node_sessions", help: "Sessions that are authenticated." },
  rooms: { type: "gauge", name: "skat_node_rooms", help: "Rooms that have a member on this node." },
  upgrades: {
    type: "counter",
    name: "skat_node_upgrades_total",
    help: "WebSocket upgrades asked for.",
    labels: { outcome: ["accepted", "refused"] },
  },
  framesReceived: {
    type: "counter",
    name: "skat_session_frames_received_total",
    help: "Frames from clients, by type; `invalid` are those that are not of the protocol.",
    labels: { type: [...FRAME_TYPES, "invalid"] },
  },
  errorsSent: {
    type: "counter",
    name: "skat_session_errors_sent_total",
    help: "Errors told to clients, on sockets and over HTTP.",
    labels: { code: ERROR_CODES },
  },
  closes: {
    type: "counter",
    name: "skat_session_closes_total",
    help: "Connections ended: for a reason of ours, by the `client`, for a `frame_too_long`, or `broken` by network or framing.",
    labels: { reason: [...CLOSE_REASONS, "client", "frame_too_long", "broken"] },
  },
  sends: {
    type: "counter",
    name: "skat_chat_sends_total",
    help: "Messages sent by clients: appended, a repeat of one already there, or refused with an error.",
    labels: { outcome: ["appended", "repeated", "refused"] },
  },
  sentSeconds: {
    type: "histogram",
    name: "skat_chat_sent_seconds",
    help: "From reading a `send` to queueing its `sent`.",
    buckets: REPLY_SECONDS,
  },
  savedSeconds: {
    type: "histogram",
    name: "skat_chat_saved_seconds",
    help: "From reading a `send` to queueing its `saved`.",
    buckets: SAVED_SECONDS,
  },
  eventsReceived: {
    type: "counter",
    name: "skat_hub_events_received_total",
    help: "Events heard from the feed.",
  },
  eventsDelivered: {
    type: "counter",
    name: "skat_hub_events_delivered_total",
    help: "Live events queued to sessions: each one once per session.",
  },
  gaps: {
    type: "counter",
    name: "skat_hub_gaps_total",
    help: "Holes found: in the feed, by a stream that vanished, or by a head that was not heard.",
    labels: { kind: ["hole", "vanished", "lost_head"] },
  },
  repairs: {
    type: "counter",
    name: "skat_hub_repairs_total",
    help: "Holes mended, by where the missing events came from; `reset`: they could not be linked.",
    labels: { source: PAGE_SOURCES },
  },
  resumes: {
    type: "counter",
    name: "skat_hub_resumes_total",
    help: "Joins with `after`, by where the missed events came from.",
    labels: { source: PAGE_SOURCES },
  },
  resets: {
    type: "counter",
    name: "skat_hub_resets_total",
    help: "`reset` frames sent.",
    labels: { reason: RESET_REASONS },
  },
  fencesOpened: { type: "counter", name: "skat_stream_fences_total", help: "New memories of Redis met." },
  staleFences: {
    type: "counter",
    name: "skat_stream_stale_fences_total",
    help: "Calls refused since their fence was no longer the present one.",
  },
  feedInterruptions: {
    type: "counter",
    name: "skat_stream_feed_interruptions_total",
    help: "Times that the feed was cut or deaf.",
  },
  backlogMessages: {
    type: "gauge",
    name: "skat_log_backlog_messages",
    help: "Messages that wait for the log.",
  },
  backlogBytes: { type: "gauge", name: "skat_log_backlog_bytes", help: "Their size." },
  backlogOldestSeconds: {
    type: "gauge",
    name: "skat_log_backlog_oldest_seconds",
    help: "Age of the message that waits longest; 0 when none does.",
  },
  logAppends: {
    type: "counter",
    name: "skat_log_appends_total",
    help: "Batches given to the log: acknowledged, rejected for good, or failed with an unknown outcome.",
    labels: { outcome: ["acknowledged", "rejected", "failed"] },
  },
  logAppendSeconds: {
    type: "histogram",
    name: "skat_log_append_seconds",
    help: "Time until the log acknowledged a batch.",
    buckets: SAVED_SECONDS,
  },
  logBatchMessages: {
    type: "histogram",
    name: "skat_log_batch_messages",
    help: "Messages in a batch given to the log.",
    buckets: BATCH_SIZES,
  },
  logConfirmations: {
    type: "counter",
    name: "skat_log_confirmations_total",
    help: "Old entries that the stream confirmed before they went to the log, or did not, so that they were sent again.",
    labels: { outcome: ["confirmed", "unconfirmed"] },
  },
  consumerLag: {
    type: "gauge",
    name: "skat_consumer_lag_records",
    help: "Records of a log partition that are not stored yet.",
    labels: { partition: "any" },
  },
  oldestUnstoredSeconds: {
    type: "gauge",
    name: "skat_consumer_oldest_unstored_seconds",
    help: "Age of the oldest record that is not stored; 0 when all are.",
  },
  rowsInserted: { type: "counter", name: "skat_consumer_rows_inserted_total", help: "Rows stored." },
  rowsRepeated: {
    type: "counter",
    name: "skat_consumer_rows_repeated_total",
    help: "Records whose row was there already.",
  },
  positionConflicts: {
    type: "counter",
    name: "skat_consumer_position_conflicts_total",
    help: "Records whose id is stored at another position. Expected never: alarm.",
  },
  storeBatchSeconds: {
    type: "histogram",
    name: "skat_consumer_batch_seconds",
    help: "Time to store a batch.",
    buckets: SAVED_SECONDS,
  },
  storeBatchRecords: {
    type: "histogram",
    name: "skat_consumer_batch_records",
    help: "Records in a batch.",
    buckets: BATCH_SIZES,
  },
  deadLetters: {
    type: "counter",
    name: "skat_consumer_dead_letters_total",
    help: "Records put aside: not an event of ours, or one that the store refuses.",
    labels: { reason: ["invalid", "unstorable"] },
  },
  foreignRecords: {
    type: "counter",
    name: "skat_consumer_foreign_records_total",
    help: "Records of other stages on a shared topic, skipped.",
  },
  trimmedEntries: {
    type: "counter",
    name: "skat_consumer_trimmed_entries_total",
    help: "Stream entries removed because they are stored.",
  },
  eventsDeleted: {
    type: "counter",
    name: "skat_consumer_events_deleted_total",
    help: "Events deleted from the store because they are older than RETENTION_DAYS.",
  },
  reconciledEntries: {
    type: "counter",
    name: "skat_consumer_reconciled_entries_total",
    help: "Stream entries appended to the log because a node left them behind.",
  },
  storedAfterSettled: {
    type: "counter",
    name: "skat_consumer_stored_after_settled_total",
    help: "Events stored from before a fence after the store was settled up to it. Expected never: alarm.",
  },
  engineUp: {
    type: "gauge",
    name: "skat_engine_up",
    help: "1 while the engine answers, else 0.",
    labels: { engine: ENGINES },
  },
} as const satisfies Record<string, MetricSpec>;

type Table = typeof METRICS;
type Value<V> = V extends readonly (infer Item)[] ? Item : string | number;
type Labelled<Spec, Plain extends unknown[], With extends unknown[]> = Spec extends { labels: infer Labels }
  ? [labels: { readonly [Label in keyof Labels]: Value<Labels[Label]> }, ...With]
  : Plain;

interface CounterOf<Spec> {
  /** By 1 unless told. */
  inc(...args: Labelled<Spec, [by?: number], [by?: number]>): void;
}
interface GaugeOf<Spec> {
  set(...args: Labelled<Spec, [value: number], [value: number]>): void;
  inc(...args: Labelled<Spec, [by?: number], [by?: number]>): void;
  dec(...args: Labelled<Spec, [by?: number], [by?: number]>): void;
}
interface HistogramOf<Spec> {
  observe(...args: Labelled<Spec, [value: number], [value: number]>): void;
}
type HandleOf<Spec> = Spec extends { type: "counter" }
  ? CounterOf<Spec>
  : Spec extends { type: "gauge" }
    ? GaugeOf<Spec>
    : HistogramOf<Spec>;

export type Metrics = { readonly [Name in keyof Table]: HandleOf<Table[Name]> } & {
  /** Runs before each `render` and `totals`, to set gauges that are cheaper to ask than to keep. */
  beforeRender(task: () => void | Promise<void>): void;
  /** All metrics in Prometheus's text format. */
  render(): Promise<string>;
  /** What counters and gauges are now, each with its series added up, by their names in the table. */
  totals(names: readonly (keyof Table)[]): Promise<ReadonlyMap<keyof Table, number>>;
  readonly contentType: string;
};

/** Metrics of one process, or of one node where a test runs several. `process`: memory, event loop and the like too. */
export function createMetrics({ process = false }: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (process) collectDefaultMetrics({ register: registry });
  const tasks: (() => void | Promise<void>)[] = [];
  const handles = Object.entries(METRICS).map(([name, spec]) => [name, createHandle(spec, registry)]);
  return {
    ...Object.fromEntries(handles),
    beforeRender: (task: () => void | Promise<void>) => void tasks.push(task),
    render: async () => {
      await Promise.all(tasks.map((task) => task()));
      return registry.metrics();
    },
    totals: async (names: readonly (keyof Table)[]) => {
      await Promise.all(tasks.map((task) => task()));
      return new Map(
        await Promise.all(names.map(async (name) => [name, await total(registry, name)] as const)),
      );
    },
    contentType: registry.contentType,
  } as Metrics;
}

function createHandle(spec: MetricSpec, registry: Registry): Counter | Gauge | Histogram {
  const { name, help, labels = {}, buckets = [] } = spec;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  if (spec.type === "histogram") return new Histogram({ ...options, buckets: [...buckets] });
  const metric = spec.type === "counter" ? new Counter(options) : new Gauge(options);
  for (const [label, values] of Object.entries(labels)) {
    // A series that is missing until its first event makes every rate and alarm on it blind to that event.
    if (values !== "any") values.forEach((value) => metric.inc({ [label]: value }, 0));
  }
  return metric;
}

async function total(registry: Registry, name: keyof Table): Promise<number> {
  const series = await registry.getSingleMetric(METRICS[name].name)?.get();
  return (series?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}
