/** `compose.yaml` is what it says: the engines alone on this machine, and with the profile `prod` all of Skat, open at one door. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ConfigError, loadConfig, type Environment } from "../functions/config.ts";
import { VARIABLES } from "../functions/config/variables.ts";
import { readImage } from "./dockerfile.ts";
import { kafkaVersion } from "./engines/find.ts";
import type { Target } from "./image-tree.ts";
import { describeLinter } from "./lint.ts";

interface Service {
  image: string;
  profiles?: string[];
  build?: { context: string; target: Target };
  restart: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  volumes: string[];
  environment?: Record<string, string | number>;
  healthcheck: { test: string[]; interval: string; timeout: string; retries: number };
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  configs: { caddyfile: { content: string } };
}

const text = readFileSync(join(import.meta.dirname, "../compose.yaml"), "utf8");
const compose = parse(text, { merge: true }) as Compose;
const all = Object.entries(compose.services);
/** What comes up without a profile: the engines. */
const services = all.filter(([, { profiles }]) => profiles === undefined);
const production = all.filter(([, { profiles }]) => profiles !== undefined);
const programs = production.filter(([, { build }]) => build !== undefined);

describe("compose.yaml", () => {
  it("has the engines, in the versions that are tested", () => {
    expect(services.map(([name, { image }]) => [name, image])).toEqual([
      ["valkey", "valkey/valkey:8"],
      ["kafka", `apache/kafka:${kafkaVersion}`],
      ["postgres", "postgres:17"],
    ]);
  });

  it.each(services)("%s is reachable from this machine alone, at a port of choice", (_, { ports }) => {
    for (const port of ports ?? [])
      expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:(\d+|\$\{KAFKA_PORT:-9092\})$/);
  });

  it.each(services)("%s says when it is ready", (_, { healthcheck }) => {
    expect(healthcheck.test[0]).toMatch(/^CMD(-SHELL)?$/);
    expect(healthcheck).toMatchObject({
      interval: expect.stringMatching(/^\d+s$/),
      timeout: expect.stringMatching(/^\d+s$/),
      retries: expect.any(Number),
    });
  });

  it.each(services)("%s keeps its data in a volume that is declared", (_, { volumes }) => {
    for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(":")[0]);
  });

  it("Kafka tells clients the address at which they reach it, and makes no topic by accident", () => {
    const { environment, ports } = compose.services["kafka"] as Service;
    const port = "${KAFKA_PORT:-9092}";
    expect(ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(environment?.["KAFKA_ADVERTISED_LISTENERS"]).toBe(
      `PLAINTEXT://127.0.0.1:${port},INSIDE://kafka:9094`,
    );
    expect(environment?.["KAFKA_LISTENERS"]).toContain(`PLAINTEXT://:${port},`);
    expect(environment?.["KAFKA_AUTO_CREATE_TOPICS_ENABLE"]).toBe("false");
  });

  it("the addresses in its comment are its own", () => {
    const urls = /REDIS_URL=redis:\/\/(\S+) KAFKA_BROKERS=(\S+)[\s\S]*?@(\S+)\/skat/.exec(text)?.slice(1);
    const defaults = services.map(([, { ports }]) => ports?.[0]?.replace(/\$\{\w+:-(\d+)\}:.+$/, "$1"));
    expect(urls).toEqual(defaults);
  });
});

/** The file's variables as its defaults have them, or as given. */
function interpolate(environment: Record<string, string | number> = {}, given: Record<string, string> = {}) {
  const fill = (value: string) =>
    value.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, unset: string) => given[name] ?? unset);
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(String(value))]));
}

const chosen = {
  AUTH_SECRET: "x".repeat(32),
  SITE_ADDRESS: "chat.example.org",
  POSTGRES_PASSWORD: "p4ssw0rd",
};

/** The environment of a program: its image's, and over it what the file says. */
function environmentOf({ build, environment }: Service, given: Record<string, string> = chosen) {
  return { ...(build ? readImage(build.target).env : {}), ...interpolate(environment, given) };
}

function faultsOf(environment: Environment, role: Target | undefined): string[] {
  try {
    loadConfig(environment, role);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ name }) => name);
    throw error;
  }
}

describe("compose.yaml with the profile prod", () => {
  it("adds two nodes, a consumer and Caddy", () => {
    expect(production.map(([name, { build }]) => [name, build?.target])).toEqual([
      ["caddy", undefined],
      ["node-1", "node"],
      ["node-2", "node"],
      ["consumer", "consumer"],
    ]);
    for (const [, { profiles }] of production) expect(profiles).toEqual(["prod"]);
  });

  it("only Caddy is open to the world", () => {
    const open = all.filter(([, { ports = [] }]) => ports.some((port) => !port.startsWith("127.0.0.1:")));
    expect(open.map(([name]) => name)).toEqual(["caddy"]);
  });

  it.each(all)("%s comes back after a restart of the machine", (_, { restart }) => {
    expect(restart).toBe("unless-stopped");
  });

  it.each(production)("%s writes nothing of its own and has no rights", (_, service) => {
    const { read_only, cap_drop, cap_add = [], security_opt } = service;
    expect({ read_only, cap_drop, security_opt }).toEqual({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    expect(cap_add).toEqual(service.build ? [] : ["NET_BIND_SERVICE"]);
  });

  it.each(production)("%s waits until what it needs is healthy", (_, { build, depends_on }) => {
    expect(depends_on).toEqual(
      Object.fromEntries(
        (build ? ["valkey", "kafka", "postgres"] : ["node-1", "node-2"]).map((name) => [
          name,
          { condition: "service_healthy" },
        ]),
      ),
    );
  });

  it.each(programs)("%s: the configuration reads every variable, and takes their values", (name, service) => {
    const environment = environmentOf(service);
    for (const variable of Object.keys(environment)) expect(Object.keys(VARIABLES)).toContain(variable);
    const config = loadConfig(environment, service.build?.target);
    expect(config).toMatchObject({ stage: "production", isProduction: true, kafka: { replication: 1 } });
    if (name !== "consumer") expect(config.http.origins).toEqual(["https://chat.example.org"]);
  });

  it.each(programs)("%s: only what must be chosen is missing when nothing is", (name, service) => {
    const faults = faultsOf(environmentOf(service, {}), service.build?.target);
    expect(faults).toEqual(name === "consumer" ? [] : ["AUTH_SECRET"]);
  });

  it.each(programs)("%s reaches the engines where they listen", (_, service) => {
    const { REDIS_URL, KAFKA_BROKERS, DATABASE_URL } = environmentOf(service);
    const kafka = interpolate(compose.services["kafka"]?.environment);
    const postgres = interpolate(compose.services["postgres"]?.environment, chosen);
    expect(REDIS_URL).toBe("redis://valkey:6379");
    expect(kafka["KAFKA_LISTENERS"]).toContain(`INSIDE://:${KAFKA_BROKERS?.split(":")[1]},`);
    expect(kafka["KAFKA_ADVERTISED_LISTENERS"]).toContain(`INSIDE://${KAFKA_BROKERS}`);
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = postgres;
    expect(DATABASE_URL).toBe(`postgresql://${user}:${password}@postgres:5432/${database}`);
  });

  it.each(programs)("%s may end in its own time", (_, service) => {
    const { drainMs } = loadConfig(environmentOf(service), service.build?.target);
    expect(Number(service.stop_grace_period?.replace("s", "")) * 1000).toBeGreaterThan(drainMs + 5000);
  });

  it("Caddy passes on to the nodes alone, at their port, and nothing of what is for operators", () => {
    const { content } = compose.configs.caddyfile;
    const port = readImage("node").env["PORT"];
    expect(content).toContain(`reverse_proxy node-1:${port} node-2:${port} {`);
    expect(content).toContain("@operations path /healthz /readyz /metrics\n  respond @operations 404");
    expect(content.split("\n")[0]).toBe("${SITE_ADDRESS:-localhost} {");
  });

  it("each of its variables is explained", () => {
    const guide = readFileSync(join(import.meta.dirname, "../docs/one-machine.md"), "utf8");
    const names = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name = ""]) => name));
    expect(names.size).toBeGreaterThan(5);
    for (const name of names) expect(guide).toContain(`\`${name}\``);
  });
});

describeLinter("compose-spec", "compose.yaml, read by what Docker Compose reads with", (lint) => {
  it("has no fault", () => {
    expect(lint(["compose.yaml"])).toBe("");
  });

  it("would have one with a word that Compose does not know", () => {
    const file = join(mkdtempSync(join(tmpdir(), "skat-compose-")), "compose.yaml");
    writeFileSync(file, text.replace("healthcheck:", "healthchek:"));
    expect(lint([file])).toContain("healthchek");
    rmSync(dirname(file), { recursive: true });
  });
});
