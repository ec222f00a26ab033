/** Read marks in simulated Postgres. */
import { max, type Position } from "../../core/position.ts";
import type { ReadMark, ReadMarkStore } from "../../core/read-marks.ts";
import { checkTexts } from "./rooms-state.ts";

export class MemoryReadMarks implements ReadMarkStore {
  readonly #marks = new Map<string, ReadMark>();

  async raise(marks: readonly ReadMark[]): Promise<readonly ReadMark[]> {
    checkTexts(...marks.flatMap(({ user, room }) => [user, room]));
    for (const { user, room, position } of marks) {
      const known = this.of(user, room) ?? position;
      this.#marks.set(`${user} ${room}`, { user, room, position: max(known, position) });
    }
    const keys = new Set(marks.map(({ user, room }) => `${user} ${room}`));
    return [...keys].flatMap((key) => this.#marks.get(key) ?? []);
  }

  of(user: string, room: string): Position | undefined {
    return this.#marks.get(`${user} ${room}`)?.position;
  }
}
