/** `compose.yaml` is what it says: the three engines of fixed versions, on this machine alone, at ports that can be chosen. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kafkaVersion } from "./engines/find.ts";

interface Service {
  image: string;
  ports: string[];
  volumes: string[];
  environment?: Record<string, unknown>;
  healthcheck: { test: string[]; interval: string; timeout: string; retries: number };
}

const text = readFileSync(join(import.meta.dirname, "../compose.yaml"), "utf8");
const compose = parse(text) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);

describe("compose.yaml", () => {
  it("has the engines, in the versions that are tested", () => {
    expect(services.map(([name, { image }]) => [name, image])).toEqual([
      ["valkey", "valkey/valkey:8"],
      ["kafka", `apache/kafka:${kafkaVersion}`],
      ["postgres", "postgres:17"],
    ]);
  });

  it.each(services)("%s is reachable from this machine alone, at a port of choice", (_, { ports }) => {
    for (const port of ports)
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
    expect(environment?.["KAFKA_ADVERTISED_LISTENERS"]).toBe(`PLAINTEXT://127.0.0.1:${port}`);
    expect(environment?.["KAFKA_LISTENERS"]).toContain(`PLAINTEXT://:${port},`);
    expect(environment?.["KAFKA_AUTO_CREATE_TOPICS_ENABLE"]).toBe("false");
  });

  it("the addresses in its comment are its own", () => {
    const urls = /REDIS_URL=redis:\/\/(\S+) KAFKA_BROKERS=(\S+)[\s\S]*@(\S+)\/skat/.exec(text)?.slice(1);
    const defaults = services.map(([, { ports }]) => ports[0]?.replace(/\$\{\w+:-(\d+)\}:.+$/, "$1"));
    expect(urls).toEqual(defaults);
  });
});
