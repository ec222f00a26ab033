/** Gets engines from the first source that has them: the environment, those that are up, Docker, this machine, an installation. */
import { dockerIsUsable } from "./container.ts";
import { engineNames, variableOf, type Engine, type EngineName } from "./engine.ts";
import { findChromium, onPath } from "./find.ts";
import { install, isInstalled, type Installable } from "./install.ts";
import { startKafka } from "./kafka.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import { readState } from "./state.ts";

/** In which `npm test` hands the engines over to the tests, as JSON. */
export const ENGINES_VARIABLE = "SKAT_TEST_ENGINES";

/** What tests can be given: the reachable engines, a browser, and whether they may start engines of their own. */
export interface TestEngines {
  redisUrl?: string;
  kafkaBrokers?: string;
  databaseUrl?: string;
  /** A Chromium's path. */
  chromium?: string;
  /** Whether `startRedis`, `startKafka` and `startPostgres` work here, so that faults can be made. */
  canControl: boolean;
  /** Whether they can be given TLS, accounts and a cluster: Docker's images are used without. */
  canSecure: boolean;
}

type Missing = Installable | "control" | "secure";

export interface Acquired {
  engines: TestEngines;
  /** What is not there and why. */
  missing: ReadonlyMap<Missing, string>;
  /** Ends what was started for this. */
  release(): Promise<void>;
}

export interface AcquireOptions {
  /** Whether to install what is missing. */
  install: boolean;
  log(line: string): void;
}

const keyOf = { redis: "redisUrl", kafka: "kafkaBrokers", postgres: "databaseUrl" } as const;
export const starters = { redis: startRedis, kafka: startKafka, postgres: startPostgres } as const;

/** Engines and browser for a test run. Never rejects for a missing one: it says so in `missing`. */
export async function acquire(options: AcquireOptions): Promise<Acquired> {
  const given = givenUrls(options.log);
  const missing = new Map<Missing, string>();
  const names = engineNames.filter((name) => !given.has(name));
  for (const [name, why] of await provide([...names, "chromium"], options)) missing.set(name, why);
  const started = await startAll(
    names.filter((name) => !missing.has(name)),
    missing,
    options.log,
  );
  const urls = new Map([...given, ...started.map((engine) => [engine.name, engine.url] as const)]);
  const canControl = canStartAll();
  if (!canControl)
    missing.set("control", "only engines that are started here can be stopped, killed and frozen");
  const canSecure = engineNames.every(isInstalled) && onPath("openssl") !== undefined;
  if (!canSecure)
    missing.set(
      "secure",
      "engines with TLS and accounts need their own programs here, besides Docker, and openssl",
    );
  const chromium = findChromium();
  return {
    engines: {
      ...Object.fromEntries([...urls].map(([name, url]) => [keyOf[name], url])),
      ...(chromium ? { chromium } : {}),
      canControl,
      canSecure,
    },
    missing,
    release: async () => void (await Promise.all(started.map((engine) => engine.dispose()))),
  };
}

/** Whether Docker or installed programs can give every engine. */
function canStartAll(): boolean {
  return dockerIsUsable() || engineNames.every(isInstalled);
}

/** Reasons for those of `names` that can't be had; installs when allowed. Docker has all engines and no browser. */
export async function provide(
  names: readonly Installable[],
  options: AcquireOptions,
): Promise<ReadonlyMap<Installable, string>> {
  const lacking = names.filter((name) => !isInstalled(name) && (name === "chromium" || !dockerIsUsable()));
  if (lacking.length === 0) return new Map();
  if (options.install) return install(lacking, options.log);
  return new Map(lacking.map((name) => [name, "not on this machine; npm test installs it where it can"]));
}

async function startAll(
  names: readonly EngineName[],
  missing: Map<string, string>,
  log: (line: string) => void,
) {
  const started = names.map(async (name): Promise<Engine | undefined> => {
    try {
      const engine = await starters[name]();
      log(`${name.padEnd(9)} ${engine.how}, port ${engine.port}`);
      return engine;
    } catch (error) {
      missing.set(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  });
  return (await Promise.all(started)).filter((engine) => engine !== undefined);
}

/** Engines that need not be started: named in the environment, or brought up by hand. */
function givenUrls(log: (line: string) => void): Map<EngineName, string> {
  const urls = new Map<EngineName, string>();
  for (const name of engineNames) {
    const found = fromEnvironment(name, log) ?? fromState(name, log);
    if (!found) continue;
    urls.set(name, found.url);
    log(`${name.padEnd(9)} ${found.how}`);
  }
  return urls;
}

/**
 * TEST_REDIS_URL and the like are taken as they are. REDIS_URL may be what somebody works with, and tests write a lot:
 * it counts when it names this machine, or in CI.
 */
function fromEnvironment(name: EngineName, log: (line: string) => void) {
  const variable = variableOf[name];
  const meant = process.env[`TEST_${variable}`];
  if (meant) return { url: meant, how: `TEST_${variable} of the environment` };
  const url = process.env[variable];
  if (!url) return undefined;
  if (process.env.CI || isHere(url)) return { url, how: `${variable} of the environment` };
  log(
    `${name.padEnd(9)} ${variable} is not used, for it names another machine; to test with it, set TEST_${variable}`,
  );
  return undefined;
}

function isHere(url: string): boolean {
  const hosts = url.split(",").map((one) => /^(?:\w+:\/\/)?(?:[^@/]*@)?(\[[^\]]*\]|[^:/?]*)/.exec(one)?.[1]);
  return hosts.every((host) => host !== undefined && ["127.0.0.1", "localhost", "[::1]"].includes(host));
}

function fromState(name: EngineName, log: (line: string) => void) {
  const one = readState().find((entry) => entry.name === name);
  if (!one) return undefined;
  if (one.servers.length === 1)
    return { url: one.url, how: `${one.how}, port ${one.port}, up by npm run engines` };
  log(`${name.padEnd(9)} the cluster that is up is not used: tests make clusters of their own`);
  return undefined;
}
