/** A server as a Docker container, with the same life as an own process. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import type { Server } from "./engine.ts";
import { forget, remember, type Running } from "./leftovers.ts";
import { until } from "./ports.ts";

export interface ContainerPlan {
  /** Of the container; no other may have it. */
  name: string;
  image: string;
  /** Inside as outside, on 127.0.0.1. */
  port: number;
  /** Folder here and where the container sees it. */
  mount: readonly [here: string, there: string];
  environment?: Readonly<Record<string, string>>;
  args?: readonly string[];
  isReady(): Promise<boolean>;
  detached: boolean;
}

const startDeadlineMs = 60_000;
let usable: boolean | undefined;

/** Whether Docker is installed and its service answers. */
export function dockerIsUsable(): boolean {
  usable ??= spawnSync("docker", ["info"], { stdio: "ignore", timeout: 10_000 }).status === 0;
  return usable;
}

export class Container implements Server {
  readonly #plan: ContainerPlan;
  #state: "absent" | "down" | "up" = "absent";

  constructor(plan: ContainerPlan) {
    this.#plan = plan;
  }

  get running(): Running | undefined {
    return this.#state === "up" ? { container: this.#plan.name } : undefined;
  }

  async start(): Promise<void> {
    if (this.#state === "up") return;
    if (this.#state === "absent") await this.#create();
    await docker("start", this.#plan.name);
    this.#state = "up";
    if (await until(() => this.#plan.isReady(), startDeadlineMs, 200)) return;
    throw new Error(`Container ${this.#plan.name} is not ready; see: docker logs ${this.#plan.name}`);
  }

  async stop(): Promise<void> {
    if (this.#state === "up") await docker("stop", this.#plan.name);
    this.#state = "down";
  }

  async kill(): Promise<void> {
    if (this.#state === "up") await docker("kill", this.#plan.name);
    this.#state = "down";
  }

  async pause(): Promise<void> {
    await docker("pause", this.#plan.name);
  }

  async resume(): Promise<void> {
    await docker("unpause", this.#plan.name);
  }

  async dispose(): Promise<void> {
    if (this.#state !== "absent") await docker("rm", "--force", "--volumes", this.#plan.name);
    this.#state = "absent";
    forget({ container: this.#plan.name });
  }

  async #create(): Promise<void> {
    const { name, image, port, mount, environment = {}, args = [], detached } = this.#plan;
    if (!detached) remember({ container: name });
    const variables = Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
    const publish = ["--publish", `127.0.0.1:${port}:${port}`, "--volume", mount.join(":")];
    await docker("create", "--name", name, ...publish, ...variables, image, ...args);
    this.#state = "down";
  }
}

async function docker(...args: string[]): Promise<void> {
  await promisify(execFile)("docker", args);
}
