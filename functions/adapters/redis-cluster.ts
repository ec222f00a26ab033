/**
 * The map of a Redis or Valkey Cluster, read at the start and anew whenever something hints that it is old.
 *
 * It is asked for on a connection of its own each time, of one server after the other, so that it is had whichever of them died. A map
 * counts only from a server that finds its cluster in order: one that is cut off from the others keeps an old one.
 */
import { backoffMs } from "../lib/backoff.ts";
import type { Cancel, Runtime } from "../core/runtime.ts";
import { connectOnce, type RedisTarget } from "./redis-connection.ts";
import type { RedisServers } from "./redis-servers.ts";
import { SLOT_OF } from "./redis-slots.ts";

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly primary: RedisTarget;
  readonly replicas: readonly RedisTarget[];
}

export interface ClusterView {
  /** `ok`, or `fail` where slots are not served or the server is cut off from most others. */
  readonly state: string;
  readonly ranges: readonly SlotRange[];
}

export interface ClusterOptions extends RedisTarget {
  readonly runtime: Runtime;
  /** Told about servers that did not give a map. */
  readonly onError: (error: Error) => void;
}

const CONNECT_MS_MAX = 1_000;
/** Between two looks: many hints come at once. */
const PAUSE = { firstMs: 100, maxMs: 1_000 };

/** What one server says of its cluster. */
export async function readCluster(target: RedisTarget, timeoutMs: number): Promise<ClusterView> {
  const client = await connectOnce(target, timeoutMs);
  try {
    const [info, slots] = await Promise.all([client.cluster("INFO"), client.cluster("SLOTS")]);
    return {
      state: /^cluster_state:(\S+)/m.exec(info)?.[1] ?? "unknown",
      ranges: slots.map((range) => toRange(target, range)),
    };
  } finally {
    client.disconnect();
  }
}

/** The primary of each partition. */
export function ownersIn({ ranges }: ClusterView): readonly (RedisTarget | undefined)[] {
  return SLOT_OF.map((slot) => ranges.find(({ first, last }) => first <= slot && slot <= last)?.primary);
}

type Server = [host: string | null, port: number, ...more: unknown[]];

function toRange(asked: RedisTarget, [first, last, ...servers]: unknown[]): SlotRange {
  const [primary = asked, ...replicas] = (servers as Server[]).map(([host, port]) => at(asked, host, port));
  return { first: Number(first), last: Number(last), primary, replicas };
}

/** The same user and authority elsewhere. A server that names no host means the one that it was asked at. */
function at({ url, ca }: RedisTarget, host: string | null, port: number): RedisTarget {
  const there = new URL(url);
  if (host) there.hostname = host.includes(":") ? `[${host}]` : host;
  there.port = String(port);
  return { url: there.href, ...(ca === undefined ? {} : { ca }) };
}

/** Reads the map; rejects with the reason of the server that was asked where there is none. */
export async function openCluster(options: ClusterOptions): Promise<RedisServers> {
  const servers = new ClusterServers(options);
  await servers.look();
  return servers;
}

class ClusterServers implements RedisServers {
  readonly #options: ClusterOptions;
  readonly #listeners = new Set<(moved: readonly number[]) => void>();
  #owners: readonly (RedisTarget | undefined)[] = [];
  /** As the settings have it: always among those who may be asked, for its name may lead to others by then. */
  readonly #named: RedisTarget;
  /** Everybody who may be asked; the first is asked next. */
  #known: readonly RedisTarget[];
  #failures = 0;
  #cancel: Cancel | undefined;

  constructor(options: ClusterOptions) {
    const { url, ca } = options;
    this.#options = options;
    this.#named = { url, ...(ca === undefined ? {} : { ca }) };
    this.#known = [this.#named];
  }

  of(partition: number): RedisTarget | undefined {
    return this.#owners[partition];
  }

  watch(listener: (moved: readonly number[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  suspect(): void {
    if (this.#cancel || this.#listeners.size === 0) return;
    const { runtime, onError } = this.#options;
    const pauseMs = backoffMs(PAUSE, this.#failures, () => runtime.random());
    this.#cancel = runtime.after(pauseMs, () => {
      this.look()
        .then(
          () => (this.#failures = 0),
          (error: Error) => (this.#failures++, onError(error)),
        )
        .finally(() => {
          this.#cancel = undefined;
          if (this.#failures > 0) this.suspect();
        });
    });
  }

  /** Asks the next server. */
  async look(): Promise<void> {
    const [asked, ...others] = this.#known;
    if (!asked) return;
    this.#known = [...others, asked];
    const view = await readCluster(asked, CONNECT_MS_MAX);
    if (view.state !== "ok")
      throw new Error(`The cluster's state is ${view.state} to a server that was asked for its map.`);
    const owners = ownersIn(view);
    const moved = [...owners.keys()].filter(
      (partition) => owners[partition]?.url !== this.of(partition)?.url,
    );
    this.#owners = owners;
    this.#known = this.#askable(view);
    if (moved.length > 0) for (const listener of this.#listeners) listener(moved);
  }

  /** All servers of the map, in the order in which they were asked; who is new comes last. */
  #askable({ ranges }: ClusterView): readonly RedisTarget[] {
    const all = [this.#named, ...ranges.flatMap(({ primary, replicas }) => [primary, ...replicas])];
    const urls = new Set(all.map(({ url }) => url));
    const before = this.#known.filter(({ url }) => urls.has(url));
    return [...new Map([...before, ...all].map((target) => [target.url, target])).values()];
  }
}
