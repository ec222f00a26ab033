/** How Skat talks to Kafka at all: the settings every kafkajs client shares, and the repairs kafkajs 2.2.4 needs. */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { type ISocketFactory, Kafka, type LogEntry, logLevel, type SASLOptions } from "kafkajs";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import type { Logger } from "../lib/logger.ts";

export interface KafkaConfig {
  /** `host:port` each; one that answers is enough. */
  readonly brokers: readonly string[];
  /** Present: TLS. The project's CA, and for mutual TLS key and certificate. */
  readonly ssl?: ConnectionOptions;
  readonly sasl?: SASLOptions;
  readonly clientId: string;
  readonly stage: string;
  readonly topic: string;
  readonly deadLetterTopic: string;
  /** The consumer group that stores; it is this stage's alone. */
  readonly groupId: string;
}

/** A client of its own: kafkajs shares offsets between the consumers of one `Kafka`, which must not happen. */
export interface KafkaConnection {
  readonly kafka: Kafka;
  /** Cuts every connection, the ones yet to be made too. kafkajs by itself keeps a connection whose peer fell silent. */
  cut(): void;
}

const KEEP_ALIVE_MS = 60_000;

/** `retries` is how often kafkajs tries again inside one call: 0 where the caller has its own loop. */
export function openKafka(config: KafkaConfig, logger: Logger, retries: number): KafkaConnection {
  pollOnlyWhenPending();
  const sockets = createSockets();
  const kafka = new Kafka({
    brokers: [...config.brokers],
    ...(config.ssl ? { ssl: config.ssl } : {}),
    // A copy: kafkajs writes the proof it has built into it, and would use it for every other password too.
    ...(config.sasl ? { sasl: { ...config.sasl } } : {}),
    clientId: config.clientId,
    connectionTimeout: config.ssl ? 5000 : 2000,
    authenticationTimeout: 3000,
    requestTimeout: 5000,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries },
    socketFactory: sockets.factory,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => write(logger, entry),
  });
  return { kafka, cut: sockets.cut };
}

/** The protocol's own name of what went wrong, if one is among the causes: the outer error says little. */
export function kafkaErrorType(error: unknown): string | undefined {
  const seen = new Set<unknown>();
  for (let cause = error; isObject(cause) && !seen.has(cause); cause = cause["cause"]) {
    seen.add(cause);
    if (typeof cause["type"] === "string") return cause["type"];
    const first: unknown = Array.isArray(cause["errors"]) ? cause["errors"][0] : undefined;
    if (isObject(first) && typeof first["type"] === "string") return first["type"];
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** kafkajs calls every lost connection an error; whether it is one, its caller decides. */
function write(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _, logger: __, ...fields } = log;
  const line = `kafkajs ${namespace}: ${message}`;
  if (level === logLevel.ERROR) logger.warn(line, fields);
  else if (level === logLevel.WARN) logger.info(line, fields);
  else logger.debug(line, fields);
}

function createSockets(): { readonly factory: ISocketFactory; cut(): void } {
  const open = new Set<Socket>();
  let isCut = false;
  const factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const servername = isIP(host) ? {} : { servername: host };
    const socket = ssl
      ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
      : connectTcp({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    if (isCut) socket.destroy();
    return socket;
  };
  const cut = (): void => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  return { factory, cut };
}

let isRepaired = false;

/**
 * kafkajs looks for pending requests on every connection each millisecond, also when there are none: 3 % of a core when
 * idle, and on Node 24 a warning of a negative timeout. It need not when nothing is pending and nothing throttled.
 */
function pollOnlyWhenPending(): void {
  if (isRepaired) return;
  isRepaired = true;
  const { prototype } = RequestQueue;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    schedule.call(this);
  };
}
