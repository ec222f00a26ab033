/** The stages on shared engines: what is made for one, what is removed with it, and which must never be touched. */

/** One engine's part in one stage. Every method may be called again and then finds its work done. */
export interface StageKeeper {
  readonly engine: string;
  /** Makes what the stage needs; with a password also a user of its own, who reaches nothing else. Answers what is there now. */
  create(password: string | undefined): Promise<string>;
  /** Takes the user's access, then removes all that carries the stage's name. Answers what is gone. */
  remove(): Promise<string>;
  /** Names of all stages that have left something here. */
  list(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A stage's own user, where the engine lets one choose the name. */
export function userOf(stage: string): string {
  return `skat-${stage}`;
}

const PROTECTED: ReadonlySet<string> = new Set(["production"]);

/** Throws for a stage that must never be removed by a command. */
export function assertRemovable(stage: string): void {
  if (PROTECTED.has(stage)) throw new Error(`The stage ${stage} is never removed by this command.`);
}

/** The previews among `stages` whose pull request is not in `open`. Anything that is not a preview stays. */
export function closedPreviews(stages: readonly string[], open: readonly number[]): readonly string[] {
  return stages.filter((stage) => {
    const number = /^pr-(\d+)$/.exec(stage)?.[1];
    return number !== undefined && !open.includes(Number(number));
  });
}
