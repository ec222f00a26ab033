/** What an engine is to tests and developers: a real server that can be started, stopped, killed and frozen. */
import type { Running } from "./leftovers.ts";
import type { Place } from "./place.ts";

export const engineNames = ["redis", "kafka", "postgres"] as const;
export type EngineName = (typeof engineNames)[number];

/** A server's life. Every method returns when its effect can be relied on; `start` when clients are served (or rejects within a minute). */
export interface Server {
  /** Starts on the same port and data as before; does nothing while it runs. */
  start(): Promise<void>;
  /** Ends it as an operator would, so that it can put its data in order. */
  stop(): Promise<void>;
  /** SIGKILL to it and all its children: nothing is flushed, nobody is told. */
  kill(): Promise<void>;
  /** SIGSTOP to all of it: connections stay open and nothing answers. */
  pause(): Promise<void>;
  /** Ends a pause. */
  resume(): Promise<void>;
  /** Kills it and removes what runs it. */
  dispose(): Promise<void>;
  /** What runs, or undefined while nothing does. */
  readonly running: Running | undefined;
}

export interface Engine extends Server {
  readonly name: EngineName;
  /** How it runs, for people: `Redis 7.0.15, own process`. */
  readonly how: string;
  readonly port: number;
  /** Where clients reach it: a URL, for Kafka `host:port`. */
  readonly url: string;
  /** The variable by which Skat is told of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Data folder. */
  readonly dir: string;
  /** `stop` and `start`. */
  restart(): Promise<void>;
  /** Kills it and deletes its data, unless the caller had given the folder. */
  dispose(): Promise<void>;
}

export interface EngineOptions {
  /** Port on 127.0.0.1; free and below 32768 unless given. */
  port?: number;
  /** Data folder, made when missing and kept afterwards; without it a temporary one. */
  dir?: string;
  /** Let it outlive this process; otherwise it dies with it, however it dies. */
  detached?: boolean;
}

/** The variable by which Skat is told of an engine. */
export const variableOf: Readonly<Record<EngineName, string>> = {
  redis: "REDIS_URL",
  kafka: "KAFKA_BROKERS",
  postgres: "DATABASE_URL",
};

/** The whole engine around a server that is made. */
export function engineOf(name: EngineName, server: Server, place: Place, how: string, url: string): Engine {
  return {
    ...place,
    name,
    how,
    url,
    env: { [variableOf[name]]: url },
    get running() {
      return server.running;
    },
    start: () => server.start(),
    stop: () => server.stop(),
    kill: () => server.kill(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    restart: () => server.stop().then(() => server.start()),
    dispose: () => server.dispose().finally(place.clear),
  };
}
