/** Finds the programs that engines need on this machine. Looks only; installs and starts nothing. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

export const kafkaVersion = "4.1.0";

/** Where Kafka's jars are kept between runs, outside the checkout. */
export const kafkaDir = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "skat",
  `kafka-${kafkaVersion}`,
);

/** A program and what to call it. */
export interface Program {
  path: string;
  title: string;
}

export interface PostgresPrograms {
  postgres: string;
  initdb: string;
  title: string;
}

export function findRedis(): Program | undefined {
  const path = onPath("redis-server", "valkey-server");
  return path
    ? { path, title: path.includes("valkey") ? versioned("Valkey", path) : versioned("Redis", path) }
    : undefined;
}

/** The newest PostgreSQL; Debian and Homebrew keep its programs off the PATH. */
export function findPostgres(): PostgresPrograms | undefined {
  const folders = [
    ...versionFolders("/usr/lib/postgresql"),
    "/opt/homebrew/opt/postgresql/bin",
    "/usr/local/opt/postgresql/bin",
  ];
  for (const folder of [...folders, ...pathFolders()]) {
    const postgres = join(folder, "postgres");
    const initdb = join(folder, "initdb");
    if (isExecutable(postgres) && isExecutable(initdb))
      return { postgres, initdb, title: versioned("PostgreSQL", postgres) };
  }
  return undefined;
}

function versionFolders(parent: string): string[] {
  if (!existsSync(parent)) return [];
  const versions = readdirSync(parent).filter((name) => Number(name) > 0);
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(parent, version, "bin"));
}

/** Java, when it is new enough for Kafka 4. */
export function findJava(): Program | undefined {
  const path = onPath("java");
  if (!path) return undefined;
  const text = spawnSync(path, ["-version"], { encoding: "utf8" }).stderr;
  const version = Number(/version "(\d+)/.exec(text)?.[1] ?? 0);
  return version >= 17 ? { path, title: `Java ${version}` } : undefined;
}

/** Kafka's jars and the Java to run them. */
export function findKafka(): { java: string; libs: string; title: string } | undefined {
  if (!existsSync(join(kafkaDir, `kafka_2.13-${kafkaVersion}.jar`))) return undefined;
  const java = findJava();
  return (
    java && { java: java.path, libs: join(kafkaDir, "*"), title: `Kafka ${kafkaVersion} on ${java.title}` }
  );
}

/** A Chromium for tests in a browser; CHROMIUM_PATH names one that is elsewhere. */
export function findChromium(): string | undefined {
  const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  const given = process.env.CHROMIUM_PATH;
  return (
    given ??
    onPath("chromium", "chromium-browser", "google-chrome", "chrome") ??
    (isExecutable(mac) ? mac : undefined)
  );
}

/** The first of these programs that is on the PATH. */
export function onPath(...names: string[]): string | undefined {
  return names.flatMap((name) => pathFolders().map((folder) => join(folder, name))).find(isExecutable);
}

function pathFolders(): string[] {
  return [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), "/usr/sbin", "/opt/homebrew/bin"];
}

function isExecutable(file: string): boolean {
  return allows(file, constants.X_OK);
}

export function isWritable(path: string): boolean {
  return allows(path, constants.W_OK);
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** `Redis 7.0.15`, from what `--version` prints. */
function versioned(name: string, program: string): string {
  const text = spawnSync(program, ["--version"], { encoding: "utf8" }).stdout;
  return `${name} ${/\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? ""}`.trim();
}
