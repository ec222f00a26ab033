/** One simulated process: it has a clock and timers of its own, can be paused and woken, and what is killed does nothing more. */
import type { Cancel, Runtime } from "../../core/runtime.ts";
import type { Random } from "./random.ts";

export class Host implements Runtime {
  readonly name: string;
  readonly #world: Runtime;
  readonly #random: Random;
  readonly #clockOffsetMs: number;
  #state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];

  constructor(name: string, world: Runtime, random: Random, clockOffsetMs = 0) {
    this.name = name;
    this.#world = world;
    this.#random = random;
    this.#clockOffsetMs = clockOffsetMs;
  }

  get isAlive(): boolean {
    return this.#state !== "dead";
  }

  now(): number {
    return this.#world.now() + this.#clockOffsetMs;
  }

  elapsed(): number {
    return this.#world.elapsed();
  }

  random = (): number => this.#random.unit();

  randomBytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  /** A timer, or something that reaches the process from outside: not before it is awake, and never once it is dead. */
  after(delayMs: number, task: () => void): Cancel {
    let isCancelled = false;
    void this.#world.after(delayMs, () => isCancelled || this.#run(() => void (isCancelled || task())));
    return () => void (isCancelled = true);
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** Everything that came meanwhile follows, in its order. */
  wake(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    for (const task of this.#held.splice(0)) this.#world.after(0, () => this.#run(task));
  }

  /** SIGKILL: no promise of the process settles any more, for whatever could settle it is dropped. */
  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#held = [];
    for (const task of this.#onDeath) task();
  }

  /** What the operating system does to the connections of a process that has ended. */
  onDeath(task: () => void): void {
    this.#onDeath.push(task);
  }

  #run(task: () => void): void {
    if (this.#state === "running") task();
    else if (this.#state === "paused") this.#held.push(task);
  }
}
