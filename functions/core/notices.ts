/**
 * Port: words to every node, also the one that says them. At most once, for whatever they tell of is in the store.
 *
 * That rooms or members have changed is an empty word: each node looks at once, and one that hears nothing looks by itself in time.
 * Read marks go along with theirs, to those whose people they are of.
 */
import type { ReadMark } from "./read-marks.ts";

export interface Notices {
  /** Rejects with `unavailable` when it was not sent; so does the other. */
  announce(): Promise<void>;
  announceReadMarks(marks: readonly ReadMark[]): Promise<void>;
  /** Called once, as the other. */
  onNotice(listener: () => void): void;
  onReadMarks(listener: (marks: readonly ReadMark[]) => void): void;
}
