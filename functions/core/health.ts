/** Which engines answer, told to every session when it changes: `degraded` and `recovered`. */
import type { Ability, Engine } from "../protocol.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { Frame } from "./frame.ts";
import type { Runtime } from "./runtime.ts";

const CANNOT: Readonly<Record<Engine, readonly Ability[]>> = {
  redis: ["send"],
  kafka: ["save"],
  postgres: ["history"],
};

/** An engine that takes longer than this to answer counts as down: its users wait as if it were. */
export const SLOW_MS = 1_500;

/** Asks an engine; undefined while its use tells how it is. */
export type Probe = () => Promise<unknown> | undefined;

interface Listener {
  send(frame: Frame): void;
}

export interface HealthOptions {
  readonly probes: Partial<Readonly<Record<Engine, Probe>>>;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export class Health {
  readonly #options: HealthOptions;
  readonly #down = new Set<Engine>();
  /** Every authenticated session. */
  readonly sessions = new Set<Listener>();

  constructor(options: HealthOptions) {
    this.#options = options;
    for (const engine of Object.keys(CANNOT) as Engine[]) options.metrics.engineUp.set({ engine }, 1);
  }

  get down(): readonly Engine[] {
    return [...this.#down];
  }

  report(engine: Engine, isUp: boolean): void {
    if (isUp !== this.#down.has(engine)) return;
    if (isUp) this.#down.delete(engine);
    else this.#down.add(engine);
    this.#options.metrics.engineUp.set({ engine }, isUp ? 1 : 0);
    this.#options.logger.warn(isUp ? "an engine answers again" : "an engine does not answer", { engine });
    const frame = isUp ? Frame.of({ type: "recovered", engine }) : degraded(engine);
    for (const session of this.sessions) session.send(frame);
  }

  /** What a new session must know. */
  greet(session: Listener): void {
    for (const engine of this.#down) session.send(degraded(engine));
  }

  /** Asks every engine that can be asked. */
  async probe(): Promise<void> {
    const engines = Object.entries(this.#options.probes) as [Engine, Probe][];
    await Promise.all(
      engines.map(async ([engine, probe]) => {
        const answer = probe();
        if (answer) this.report(engine, await this.#comesInTime(answer));
      }),
    );
  }

  async #comesInTime(answer: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#options.runtime.after(SLOW_MS, () => resolve(false));
      answer
        .then(
          () => resolve(true),
          () => resolve(false),
        )
        .finally(cancel);
    });
  }
}

function degraded(engine: Engine): Frame {
  return Frame.of({ type: "degraded", engine, cannot: CANNOT[engine] });
}
