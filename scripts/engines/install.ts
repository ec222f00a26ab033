/** Installs what engines need where that can be done without asking: Debian packages as root, Kafka through Maven. */
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withLock } from "../lock.mjs";
import {
  findChromium,
  findJava,
  findKafka,
  findPostgres,
  findRedis,
  kafkaDir,
  kafkaVersion,
  onPath,
} from "./find.ts";
import type { EngineName } from "./engine.ts";

/** What can be installed: the engines and the browser for the page's tests. */
export type Installable = EngineName | "chromium";

const isFound: Readonly<Record<Installable, () => boolean>> = {
  redis: () => findRedis() !== undefined,
  kafka: () => findKafka() !== undefined,
  postgres: () => findPostgres() !== undefined,
  chromium: () => findChromium() !== undefined,
};

/** Whether its programs are on this machine. */
export function isInstalled(name: Installable): boolean {
  return isFound[name]();
}

/**
 * Installs what is missing of these; the answer gives for each that still is the reason. Installers run one at a time
 * and report through `log`.
 */
export async function install(
  names: readonly Installable[],
  log: (line: string) => void,
): Promise<ReadonlyMap<Installable, string>> {
  const failures = new Map<Installable, string>();
  await withLock(join(dirname(kafkaDir), "install.lock"), async () => {
    const wanted = names.filter((name) => !isInstalled(name));
    const packages = wanted.flatMap(packagesFor);
    const failure = packages.length > 0 ? await installPackages(packages, log) : undefined;
    const kafkaFailure = wanted.includes("kafka") ? await fetchKafka(log) : undefined;
    for (const name of wanted.filter((name) => !isInstalled(name))) {
      const why = failure ?? (name === "kafka" ? kafkaFailure : undefined);
      failures.set(name, why ?? "the installation did not bring it");
    }
  });
  return failures;
}

function packagesFor(name: Installable): string[] {
  if (name === "redis") return ["redis-server"];
  if (name === "postgres") return ["postgresql"];
  if (name === "chromium") return ["chromium"];
  return [...(findJava() ? [] : ["default-jre-headless"]), ...(onPath("mvn") ? [] : ["maven"])];
}

/** Debian's packages, without starting the services that come with them. Answers why not, or nothing. */
async function installPackages(
  packages: readonly string[],
  log: (line: string) => void,
): Promise<string | undefined> {
  const hint = `apt-get install ${packages.join(" ")}`;
  if (!onPath("apt-get")) return `not found, and it can be installed only on Debian; install it by hand`;
  if (process.getuid?.() !== 0) return `not found, and only root can install it: sudo ${hint}`;
  log(`Installing ${packages.join(", ")} …`);
  const options = ["-qq", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];
  return withoutServices(async () => {
    const updated = await run("apt-get", [...options, "update"]);
    if (updated) return `apt-get update failed:\n${updated}`;
    const installed = await run("apt-get", [...options, "--no-install-recommends", "install", ...packages]);
    return installed ? `${hint} failed:\n${installed}` : undefined;
  });
}

const policy = "/usr/sbin/policy-rc.d";

/** Debian asks this file whether a new package may start its service; one that exists already stays as it is. */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  if (existsSync(policy)) return work();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n");
  chmodSync(policy, 0o755);
  try {
    return await work();
  } finally {
    rmSync(policy, { force: true });
  }
}

/** Fetches Kafka's jars into the cache, all of them or none. Answers why not, or nothing. */
async function fetchKafka(log: (line: string) => void): Promise<string | undefined> {
  const mvn = onPath("mvn");
  if (!findJava()) return "Kafka needs Java 17 or newer";
  if (!mvn) return "Kafka is fetched by Maven (mvn), which is not installed";
  log(`Fetching Kafka ${kafkaVersion} (43 MB) …`);
  mkdirSync(dirname(kafkaDir), { recursive: true });
  const work = mkdtempSync(`${kafkaDir}.`);
  try {
    writeFileSync(join(work, "pom.xml"), pom);
    const args = ["-q", "-B", "-f", join(work, "pom.xml"), "dependency:copy-dependencies"];
    const failure = await run(mvn, [...args, `-DoutputDirectory=${join(work, "libs")}`]);
    if (failure) return `Maven could not fetch it:\n${failure}`;
    rmSync(kafkaDir, { recursive: true, force: true });
    renameSync(join(work, "libs"), kafkaDir);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>skat</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version>
</dependency></dependencies></project>
`;

/** Runs a program to its end; the answer is the end of its output when it failed. */
function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) =>
      resolve(code === 0 ? undefined : output.trimEnd().split("\n").slice(-12).join("\n")),
    );
  });
}
