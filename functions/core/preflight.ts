/** The preflight: what must hold of an engine before it is used, checked one by one, each ending in one line. */
import { sleep, type Runtime } from "./runtime.ts";

/** A check that does not hold: what was found, and how to mend it. */
export class CheckFault extends Error {
  override readonly name = "CheckFault";
  readonly cure: string;
  /** It can be lived with. */
  readonly isWarning: boolean;

  constructor(found: string, cure: string, options: { cause?: unknown; isWarning?: boolean } = {}) {
    super(found, { cause: options.cause });
    this.cure = cure;
    this.isWarning = options.isWarning ?? false;
  }
}

export interface Check<Session> {
  readonly name: string;
  /** Quick and without traces, so that every start does it. */
  readonly isBrief: boolean;
  /** Resolves with what was found; rejects with a `CheckFault`, or with an error for `explain`. */
  run(session: Session): Promise<string>;
}

/** One engine's checks, in order, over one session. Its first check is `connect`; where that fails the others are skipped. */
export interface Examination<Session> {
  readonly engine: string;
  readonly checks: readonly Check<Session>[];
  connect(): Promise<Session>;
  close(session: Session): void | Promise<void>;
  /** What an error of the engine or its client means to an operator. */
  explain(error: unknown): CheckFault;
}

export interface Finding {
  /** `redis.eviction`: what people call the check by. */
  readonly check: string;
  readonly outcome: "ok" | "warning" | "failed" | "skipped";
  readonly found: string;
  readonly cure?: string;
}

/** Runs the checks of one engine, or only the brief ones. Never rejects. */
export type Examine = (runtime: Runtime, options: { brief: boolean }) => Promise<readonly Finding[]>;

const CHECK_MS_MAX = 15_000;

export function examination<Session>(plan: Examination<Session>): Examine {
  return async (runtime, { brief }) => {
    const checks = plan.checks.filter(({ isBrief }) => isBrief || !brief);
    const named = (name: string) => `${plan.engine}.${name}`;
    const finding = async (name: string, work: () => Promise<string>): Promise<Finding> => {
      try {
        return { check: named(name), outcome: "ok", found: await within(runtime, work()) };
      } catch (error) {
        return {
          check: named(name),
          ...toFinding(error instanceof CheckFault ? error : plan.explain(error)),
        };
      }
    };
    let session: { readonly open: Session } | undefined;
    const connected = await finding("connect", async () => {
      session = { open: await plan.connect() };
      return "connected";
    });
    if (!session) {
      const skipped = checks.map(({ name }): Finding => ({
        check: named(name),
        outcome: "skipped",
        found: "not connected",
      }));
      return [connected, ...skipped];
    }
    const findings = [connected];
    const { open } = session;
    for (const { name, run } of checks) findings.push(await finding(name, () => run(open)));
    await plan.close(open);
    return findings;
  };
}

function toFinding({ isWarning, message, cure }: CheckFault): Omit<Finding, "check"> {
  return { outcome: isWarning ? "warning" : "failed", found: message, cure };
}

async function within<T>(runtime: Runtime, work: Promise<T>): Promise<T> {
  const late = sleep(runtime, CHECK_MS_MAX).then(() => {
    throw new CheckFault(
      `No answer within ${CHECK_MS_MAX / 1000} s.`,
      "See whether the engine is overloaded.",
    );
  });
  return Promise.race([work, late]);
}

/** As people read it, on one line. */
export function lineOf({ check, found, cure }: Finding): string {
  return `${check}: ${found}${cure === undefined ? "" : ` Cure: ${cure}`}`.replaceAll(/\s+/g, " ");
}
