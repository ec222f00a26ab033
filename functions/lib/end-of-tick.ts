/** Those who have something to write are written together at the end of the tick, each once. */

export class EndOfTick {
  readonly #waiting = new Set<{ flush(): void }>();

  add(writer: { flush(): void }): void {
    if (this.#waiting.size === 0) setImmediate(() => this.#flush());
    this.#waiting.add(writer);
  }

  #flush(): void {
    const writers = [...this.#waiting];
    this.#waiting.clear();
    for (const writer of writers) writer.flush();
  }
}
