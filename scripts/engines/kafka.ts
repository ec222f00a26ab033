/** Starts a real Kafka broker: KRaft, one node, topics made on purpose only. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Container, dockerIsUsable } from "./container.ts";
import { engineOf, type Engine, type EngineOptions, type Server } from "./engine.ts";
import { withLock } from "../lock.mjs";
import { findKafka, isWritable, kafkaDir, kafkaVersion } from "./find.ts";
import { OwnProcess } from "./own-process.ts";
import { takePlace, type Place } from "./place.ts";
import { writePem, type Pem } from "./pem.ts";
import { ask, freePort } from "./ports.ts";

export interface KafkaOptions extends EngineOptions {
  /** More or other broker settings, such as `{ "message.max.bytes": "100000" }`. */
  properties?: Readonly<Record<string, string>>;
  /** Java's heap, 256 unless given. */
  heapMb?: number;
  /** Two more listeners, both with TLS and this certificate: one for SCRAM users, one for client certificates. */
  tls?: Pem;
  /** Users that prove themselves by SCRAM-SHA-256, with their passwords. */
  users?: Readonly<Record<string, string>>;
}

export interface KafkaEngine extends Engine {
  /** `host:port`, the same as `url`. */
  readonly brokers: string;
  /** The listener for SCRAM users over TLS; without `tls` nobody listens there. */
  readonly saslBrokers: string;
  /** The listener for client certificates. */
  readonly mtlsBrokers: string;
}

/** Rejects when this machine has no Kafka or it does not start. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaEngine> {
  const place = await takePlace("kafka", options);
  const ports = { sasl: await freePort(), mtls: await freePort() };
  const controllerPort = await freePort();
  const properties = {
    ...propertiesFor(place.port, controllerPort),
    ...(options.tls ? secured(place, { ...ports, controller: controllerPort }, options.tls) : {}),
    ...options.properties,
  };
  const { server, how } =
    dockerIsUsable() && !options.tls
      ? containerFor(place, properties, options)
      : await processFor(place, properties, options);
  await server.start();
  const brokers = `127.0.0.1:${place.port}`;
  const others = { saslBrokers: `127.0.0.1:${ports.sasl}`, mtlsBrokers: `127.0.0.1:${ports.mtls}` };
  return Object.assign(engineOf("kafka", server, place, how, brokers), { brokers, ...others });
}

/** The plain listener stays, for the broker itself and for tests that look from outside. */
function secured(
  { port, dir }: Place,
  ports: Readonly<Record<"sasl" | "mtls" | "controller", number>>,
  tls: Pem,
): Record<string, string> {
  const files = writePem(dir, tls);
  const listeners = `PLAINTEXT://127.0.0.1:${port},SASL://127.0.0.1:${ports.sasl},MTLS://127.0.0.1:${ports.mtls}`;
  return {
    listeners: `${listeners},CONTROLLER://127.0.0.1:${ports.controller}`,
    "advertised.listeners": listeners,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,MTLS:SSL,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": files.chain,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": files.ca,
    "listener.name.mtls.ssl.client.auth": "required",
    "sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "listener.name.sasl.scram-sha-256.sasl.jaas.config":
      "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  };
}

function propertiesFor(port: number, controllerPort: number): Record<string, string> {
  return {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    // A restarted broker waits until the session of the one that was killed has ended.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
  };
}

async function processFor(
  place: Place,
  properties: Record<string, string>,
  options: KafkaOptions,
  archiveTo?: string,
) {
  const { dir, port } = place;
  const found = findKafka();
  if (!found) throw new Error("There is no Kafka on this machine: npm run engines -- up kafka installs it.");
  const file = join(dir, "server.properties");
  const all = { ...properties, "log.dirs": join(dir, "log") };
  writeFileSync(
    file,
    Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  const shared = archiveTo ? [] : [`-XX:SharedArchiveFile=${await sharedClasses()}`];
  const classes = archiveTo ? [`-XX:ArchiveClassesAtExit=${archiveTo}`] : shared;
  if (!existsSync(join(dir, "log"))) await format(found, file, shared, options.users);
  const heap = [`-Xmx${options.heapMb ?? 256}m`, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
  const args = [...heap, ...classes, "-cp", found.libs, "kafka.Kafka", file];
  const plan = {
    title: found.title,
    dir,
    program: found.java,
    args,
    words: file,
    detached: options.detached ?? false,
  };
  const server: Server = new OwnProcess({ ...plan, stopSignal: "SIGTERM", isReady: () => isReady(port) });
  return { server, how: `own process, ${found.title}` };
}

/**
 * An archive of the classes that a broker loads, with which it starts in half the time. It is made once, by a broker that ends;
 * where it is missing, Java does without.
 */
async function sharedClasses(): Promise<string> {
  const archive = join(kafkaDir, "classes.jsa");
  if (!existsSync(archive) && isWritable(kafkaDir))
    await withLock(`${archive}.lock`, async () => {
      if (!existsSync(archive)) await archiveClasses(archive);
    });
  return archive;
}

async function archiveClasses(archive: string): Promise<void> {
  const place = await takePlace("kafka", {});
  const unfinished = join(place.dir, "classes.jsa");
  const { server } = await processFor(place, propertiesFor(place.port, await freePort()), {}, unfinished);
  await server.start();
  await server.stop();
  if (existsSync(unfinished)) {
    copyFileSync(unfinished, `${archive}.new`); // another file system
    renameSync(`${archive}.new`, archive);
  }
  place.clear();
}

async function format(
  { java, libs }: { java: string; libs: string },
  file: string,
  shared: readonly string[],
  users: Readonly<Record<string, string>> = {},
): Promise<void> {
  const id = randomBytes(16).toString("base64url");
  const tool = [
    "-XX:TieredStopAtLevel=1",
    ...shared,
    "-cp",
    libs,
    "kafka.tools.StorageTool",
    "format",
    `--cluster-id=${id}`, // one word: an id may begin with a dash
    "-c",
    file,
    ...Object.entries(users).flatMap(([name, password]) => [
      "--add-scram",
      `SCRAM-SHA-256=[name=${name},password=${password}]`,
    ]),
  ];
  await promisify(execFile)(java, tool);
}

function containerFor(place: Place, properties: Record<string, string>, options: KafkaOptions) {
  const { dir, port } = place;
  const image = `apache/kafka:${kafkaVersion}`;
  const listeners = properties["listeners"]?.replaceAll("127.0.0.1", "0.0.0.0") ?? "";
  const all = Object.entries({ ...properties, listeners, "log.dirs": "/data/log" });
  const environment = Object.fromEntries(
    all.map(([key, value]) => [`KAFKA_${key.replaceAll(".", "_").toUpperCase()}`, value]),
  );
  const plan = { name: `skat-kafka-${port}`, image, port, environment, detached: options.detached ?? false };
  const server: Server = new Container({ ...plan, mount: [dir, "/data"], isReady: () => isReady(port) });
  return { server, how: `container ${image}` };
}

/** Asks which requests it serves (ApiVersions 0): it answers only when it has joined its cluster. */
async function isReady(port: number): Promise<boolean> {
  const request = Buffer.from("0000000c00120000000000010002" + Buffer.from("up").toString("hex"), "hex");
  return ((await ask(port, request))?.length ?? 0) > 0;
}
