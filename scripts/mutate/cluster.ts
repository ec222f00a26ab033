/** What keeps a room whole on a cluster, each with a patch that breaks it. */
import type { Mutation } from "./mutations.ts";

const STREAM = "functions/test/room-stream-cluster.test.ts";
const BESIDE = "functions/test/redis-cluster.test.ts";

export const CLUSTER_MUTATIONS: readonly Mutation[] = [
  {
    name: "fence-of-primary",
    mechanism: "G6 a replica that takes over does not go on under the fence of its primary",
    file: "functions/adapters/redis-scripts.ts",
    edits: [["if held[2] == memory and", "if held[2] and"]],
    noticedBy: ["functions/test/faults/cluster.test.ts", "a primary dies"],
  },
  {
    name: "moved-gate",
    mechanism: "N1 a partition that was elsewhere is opened anew where it comes back to",
    file: "functions/adapters/room-stream-redis.ts",
    edits: [["for (const partition of partitions) opened.delete(partition);", "void [opened, partitions];"]],
    noticedBy: [STREAM, "\\[N1\\] a fence that was opened where the slot was before"],
  },
  {
    name: "moved-map",
    mechanism: "a server that has the slot no more makes the map be read anew",
    file: "functions/adapters/redis-shards.ts",
    edits: [["if (/^(MOVED|CLUSTERDOWN) /.test(error.message)) this.#options.servers.suspect();", ""]],
    noticedBy: [STREAM, "\\[N1\\] a slot that moves"],
  },
  {
    name: "lost-map",
    mechanism: "a lost connection makes the map be read anew",
    file: "functions/adapters/redis-shards.ts",
    edits: [["if (this.#shards.get(target.url) === shard) this.#options.servers.suspect();", ""]],
    noticedBy: [STREAM, "\\[N1\\] a primary that dies"],
  },
  {
    name: "replicas-asked",
    mechanism: "the map is had from another member when one is dead",
    file: "functions/adapters/redis-cluster.ts",
    edits: [["this.#known = [...others, asked];", "void others;"]],
    noticedBy: [BESIDE, "cut off from the others"],
  },
  {
    name: "cut-off-map",
    mechanism: "a member that is cut off from the others is not believed",
    file: "functions/adapters/redis-cluster.ts",
    edits: [['if (view.state !== "ok")', 'if (view.state === "never")']],
    noticedBy: [BESIDE, "cut off from the others"],
  },
  {
    name: "history-of-memory",
    mechanism: "N1 a primary that was a replica in between has another memory",
    file: "functions/adapters/redis-scripts.ts",
    edits: [["string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')", "'same'"]],
    noticedBy: [STREAM, "\\[N1\\] a replica that took over and gave back"],
  },
  {
    name: "feed-follows",
    mechanism: "N3 subscriptions are made again where their slot has come to",
    file: "functions/adapters/room-feed-redis.ts",
    edits: [["if (shard.subscribed) void this.#resubscribe(shard);", "void shard;"]],
    noticedBy: [STREAM, "\\[N3\\] subscriptions follow"],
  },
  {
    name: "feed-hears-moves",
    mechanism: "N3 a server that takes subscriptions off by itself is heard",
    file: "functions/adapters/room-feed-redis.ts",
    edits: [['client.on("moved", () => this.#servers.suspect());', ""]],
    noticedBy: [STREAM, "\\[N3\\] subscriptions follow"],
  },
  {
    name: "ping-any",
    mechanism: "one primary that is away does not make the node unfit",
    file: "functions/adapters/room-stream-redis.ts",
    edits: [["await Promise.any(partitions", "await Promise.all(partitions"]],
    noticedBy: [STREAM, "answers as long as one primary does"],
  },
  {
    name: "care-where-it-answers",
    mechanism: "C4 streams are looked after while another server is away",
    file: "functions/core/reconcile.ts",
    edits: [
      [
        "for (const room of rooms) await this.#lookAt",
        'for (const room of asked.every(({ status }) => status === "fulfilled") ? rooms : []) await this.#lookAt',
      ],
    ],
    noticedBy: ["functions/test/reconcile.test.ts", "\\[C4\\] rooms whose server answers"],
  },
  {
    name: "every-primary",
    mechanism: "the preflight looks at every primary",
    file: "functions/adapters/preflight-redis.ts",
    edits: [
      [
        "Promise.allSettled(primaries.map((primary) => check(primary, options)))",
        "Promise.allSettled(primaries.slice(0, 1).map((primary) => check(primary, options)))",
      ],
    ],
    noticedBy: [BESIDE, "names the primary that would evict"],
  },
  {
    name: "stage-on-replicas",
    mechanism: "G12 a stage's user is on the replicas too, which may take over",
    file: "functions/adapters/stage-redis.ts",
    edits: [
      [
        "Promise.all([...primaries, ...replicas].map(task))",
        "void replicas, Promise.all([...primaries].map(task))",
      ],
    ],
    noticedBy: [BESIDE, "a stage has its user on every member"],
  },
];
