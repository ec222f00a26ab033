/** Starts a real PostgreSQL cluster, without passwords and reachable from this machine alone. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Container, dockerIsUsable } from "./container.ts";
import { engineOf, type Engine, type EngineOptions, type Server } from "./engine.ts";
import { findPostgres } from "./find.ts";
import { OwnProcess } from "./own-process.ts";
import { takePlace, type Place } from "./place.ts";
import { writePem, type Pem } from "./pem.ts";
import { ask } from "./ports.ts";

export interface PostgresOptions extends EngineOptions {
  /** Whether it survives a power cut. False unless given: tests are faster, and a killed process loses nothing, since commits still reach the system. */
  fsync?: boolean;
  /** More or other settings, such as `{ max_connections: "20" }`. */
  settings?: Readonly<Record<string, string>>;
  /** Speaks TLS with this certificate, to those who ask for it. */
  tls?: Pem;
  /** Lines of pg_hba.conf instead of "everybody, without a password", such as `hostssl all all 127.0.0.1/32 scram-sha-256`. */
  access?: readonly string[];
}

export type PostgresEngine = Engine;

/** Rejects when this machine has no PostgreSQL or it does not start. The database is `postgres`, and so is the user. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresEngine> {
  const isContained = dockerIsUsable() && !options.tls && !options.access;
  const user = isContained ? undefined : unprivilegedUser();
  const place = await takePlace("postgres", options, user);
  const { server, how } = isContained ? containerFor(place, options) : await processFor(place, options, user);
  await server.start();
  return engineOf("postgres", server, place, how, `postgresql://postgres@127.0.0.1:${place.port}/postgres`);
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function processFor(
  place: Place,
  options: PostgresOptions,
  user: { uid: number; gid: number } | undefined,
) {
  const { dir, port } = place;
  const found = findPostgres();
  if (!found) throw new Error("There is no PostgreSQL on this machine.");
  const data = join(dir, "data");
  if (!existsSync(data)) {
    const args = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"];
    await promisify(execFile)(found.initdb, args, { cwd: dir, ...user });
  }
  if (options.access) writeFileSync(join(data, "pg_hba.conf"), `${options.access.join("\n")}\n`);
  const args = ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", ""];
  args.push(...settingsOf(options), ...(options.tls ? tlsSettings(dir, options.tls, user) : []));
  const plan = {
    title: found.title,
    dir,
    program: found.postgres,
    args,
    words: data,
    ...(user ? { user } : {}),
  };
  const server: Server = new OwnProcess({
    ...plan,
    stopSignal: "SIGINT", // a fast shutdown: it does not wait for its clients to leave
    isReady: () => isReady(port),
    detached: options.detached ?? false,
  });
  return { server, how: `own process, ${found.title}` };
}

function tlsSettings(dir: string, tls: Pem, user: { uid: number; gid: number } | undefined): string[] {
  const { cert, key } = writePem(dir, tls, user);
  return ["-c", "ssl=on", "-c", `ssl_cert_file=${cert}`, "-c", `ssl_key_file=${key}`];
}

function containerFor(place: Place, options: PostgresOptions) {
  const { dir, port } = place;
  const image = "postgres:17";
  const server: Server = new Container({
    name: `skat-postgres-${port}`,
    image,
    port,
    mount: [dir, "/var/lib/postgresql/data"],
    environment: { POSTGRES_HOST_AUTH_METHOD: "trust", PGDATA: "/var/lib/postgresql/data/data" },
    args: ["-p", `${port}`, ...settingsOf(options)],
    isReady: () => isReady(port),
    detached: options.detached ?? false,
  });
  return { server, how: `container ${image}` };
}

function settingsOf(options: PostgresOptions): string[] {
  const careless = options.fsync ? {} : { fsync: "off", full_page_writes: "off" };
  const all = { max_connections: "300", ...careless, ...options.settings };
  return Object.entries(all).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
}

/** Says hello as a client would (protocol 3.0): `R` means welcome, `E` that it is still starting. */
async function isReady(port: number): Promise<boolean> {
  const body = Buffer.from("\0\x03\0\0user\0postgres\0database\0postgres\0\0", "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return (await ask(port, Buffer.concat([length, body])))?.toString("latin1", 0, 1) === "R";
}
