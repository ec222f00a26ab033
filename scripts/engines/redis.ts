/** Starts a real Redis or Valkey. */
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Container, dockerIsUsable } from "./container.ts";
import { engineOf, type Engine, type EngineOptions, type Server } from "./engine.ts";
import { findRedis } from "./find.ts";
import { OwnProcess } from "./own-process.ts";
import { takePlace, type Place } from "./place.ts";
import { writePem, type Pem } from "./pem.ts";
import { ask, freePort, until } from "./ports.ts";

export interface RedisOptions extends EngineOptions {
  /** What outlives the server's end: nothing (`none`, the default), or every write that was answered (`aof`). */
  persistence?: "none" | "aof";
  /** More lines for redis.conf, such as `maxmemory 10mb`. */
  config?: readonly string[];
  /** A second port that speaks TLS, with this certificate. */
  tls?: Pem;
  /** It can be a member of a cluster. A container can't: members are told where the others are, from inside. */
  cluster?: { busPort: number; nodeTimeoutMs: number };
}

export interface RedisEngine extends Engine {
  /** Of TLS; 0 without. */
  readonly tlsPort: number;
  /** Writes a snapshot of what it holds now to `file`. */
  save(file: string): Promise<void>;
  /** Kills it and starts it from an older snapshot, so that what was written since is lost. */
  restore(file: string): Promise<void>;
}

/** Rejects when this machine has no Redis or it does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisEngine> {
  const place = await takePlace("redis", options);
  const { server, how } = serverFor(place, options);
  const tlsPort = options.tls ? await freePort() : 0;
  const configure = (more: RedisOptions = {}): void => writeConfig(place, tlsPort, { ...options, ...more });
  configure();
  await server.start();
  const engine = engineOf("redis", server, place, how, `redis://127.0.0.1:${place.port}`);
  const snapshot = join(place.dir, "dump.rdb");
  return Object.assign(engine, {
    tlsPort,
    async save(file: string) {
      await command(place.port, "SAVE");
      copyFileSync(snapshot, file);
      rmSync(snapshot);
    },
    async restore(file: string) {
      await server.kill();
      rmSync(join(place.dir, "appendonlydir"), { recursive: true, force: true });
      copyFileSync(file, snapshot);
      configure({ persistence: "none" }); // with aof it would start empty: it then reads no snapshot
      await server.start();
      rmSync(snapshot);
      if (options.persistence !== "aof") return;
      await command(place.port, "CONFIG SET appendonly yes");
      await until(
        async () => /aof_rewrite_in_progress:0/.test(await command(place.port, "INFO persistence")),
        10_000,
      );
      configure();
    },
  });
}

function serverFor(place: Place, options: RedisOptions): { server: Server; how: string } {
  const { port, dir } = place;
  const isReady = async () => /^(\+PONG|-NOAUTH)/.test((await ask(port, "PING\r\n"))?.toString() ?? "");
  const detached = options.detached ?? false;
  if (dockerIsUsable() && !options.tls && !options.cluster) {
    const args = ["valkey-server", "/data/redis.conf", "--bind", "0.0.0.0", "--dir", "/data"];
    const image = "valkey/valkey:8";
    const server = new Container({
      name: `skat-redis-${port}`,
      image,
      port,
      mount: [dir, "/data"],
      args,
      isReady,
      detached,
    });
    return { server, how: `container ${image}` };
  }
  const found = findRedis();
  if (!found) throw new Error("There is no redis-server or valkey-server on this machine.");
  const { path: program, title } = found;
  const words = `127.0.0.1:${port}`; // it renames itself to this
  const plan = { title, dir, program, args: ["redis.conf"], words, isReady, detached };
  return { server: new OwnProcess({ ...plan, stopSignal: "SIGTERM" }), how: `own process, ${title}` };
}

function writeConfig(place: Place, tlsPort: number, options: RedisOptions): void {
  const tls = options.tls ? writePem(place.dir, options.tls) : undefined;
  const lines = [
    `port ${place.port}`,
    "bind 127.0.0.1",
    "protected-mode no",
    'save ""',
    `appendonly ${options.persistence === "aof" ? "yes" : "no"}`,
    "appendfsync always",
    ...(tls
      ? [
          `tls-port ${tlsPort}`,
          `tls-cert-file ${tls.cert}`,
          `tls-key-file ${tls.key}`,
          `tls-ca-cert-file ${tls.ca}`,
          "tls-auth-clients no",
          // Members of a cluster then tell clients over TLS of each other's TLS ports.
          ...(options.cluster ? ["tls-cluster yes", "tls-replication yes"] : []),
        ]
      : []),
    ...(options.cluster
      ? [
          "cluster-enabled yes",
          `cluster-port ${options.cluster.busPort}`,
          `cluster-node-timeout ${options.cluster.nodeTimeoutMs}`,
          "repl-diskless-sync-delay 0", // a replica is of use at once
        ]
      : []),
    ...(options.config ?? []),
  ];
  writeFileSync(join(place.dir, "redis.conf"), lines.join("\n") + "\n");
}

/** What the server answers to a line; rejects where that is an error. */
export async function command(port: number, text: string): Promise<string> {
  const reply = (await ask(port, `${text}\r\n`, 30_000))?.toString() ?? "";
  if (reply === "" || reply.startsWith("-"))
    throw new Error(`Redis did not do ${text}: ${reply || "no answer"}`);
  return reply;
}
