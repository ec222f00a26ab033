/** Typed events: who listens to what, until they stop or their signal does. */
import type { Cancel } from "./runtime.ts";

export interface ListenOptions {
  readonly signal?: AbortSignal;
}

export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  on<Name extends keyof Events>(
    name: Name,
    listener: (value: Events[Name]) => void,
    { signal }: ListenOptions = {},
  ): Cancel {
    if (signal?.aborted === true) return () => {};
    const all = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, all.add(listener));
    const cancel = () => void all.delete(listener);
    signal?.addEventListener("abort", cancel, { once: true });
    return cancel;
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    const all = this.#listeners.get(name) as Set<(value: Events[Name]) => void> | undefined;
    for (const listener of [...(all ?? [])]) listener(value);
  }
}
