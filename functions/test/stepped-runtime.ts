/** A runtime whose time passes only when a test says so: what is due runs in the order of its time. */
import { setImmediate as turn } from "node:timers/promises";
import { systemRuntime } from "../adapters/runtime-system.ts";
import type { Cancel, Runtime } from "../core/runtime.ts";

const STEP_MS = 50;
const UNTIL_MS = 60_000;

interface Task {
  readonly atMs: number;
  readonly run: () => void;
}

export class SteppedRuntime implements Runtime {
  readonly random = systemRuntime.random;
  readonly randomBytes = systemRuntime.randomBytes;
  /** Work outside the runtime, such as a query, that time has to wait for. */
  isBusy: () => boolean = () => false;
  readonly #tasks = new Set<Task>();
  #ms = systemRuntime.now();

  now(): number {
    return this.#ms;
  }

  elapsed(): number {
    return this.#ms;
  }

  after(delayMs: number, run: () => void): Cancel {
    const task = { atMs: this.#ms + delayMs, run };
    this.#tasks.add(task);
    return () => void this.#tasks.delete(task);
  }

  /** Lets that much time pass, and everything happen that is due within it. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#ms + ms;
    await this.#settle();
    for (let task = this.#nextBy(endMs); task; task = this.#nextBy(endMs)) {
      this.#tasks.delete(task);
      this.#ms = Math.max(this.#ms, task.atMs);
      task.run();
      await this.#settle();
    }
    this.#ms = endMs;
  }

  /** Lets time pass until the condition holds; a minute in vain is an error. */
  async until(condition: () => unknown, what: string): Promise<void> {
    const endMs = this.#ms + UNTIL_MS;
    for (await this.#settle(); !condition(); await this.pass(STEP_MS)) {
      if (this.#ms > endMs) throw new Error(`waited ${UNTIL_MS} ms of stepped time in vain for ${what}`);
    }
  }

  /** The very next thing that is due, the earliest first; among equals the one that was asked for first. */
  #nextBy(endMs: number): Task | undefined {
    let next: Task | undefined;
    for (const task of this.#tasks) if (task.atMs <= endMs && (!next || task.atMs < next.atMs)) next = task;
    return next;
  }

  async #settle(): Promise<void> {
    do await turn();
    while (this.isBusy());
  }
}
