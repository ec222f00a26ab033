/** What a page's main thread did: its tasks in milliseconds of CPU, which nothing else on the machine makes longer. */
import type { Browser, Page } from "playwright-core";

/** The longest that a task may take for a reader not to notice. */
export const LONG_TASK_MS = 50;

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds on the processor. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

interface Trace {
  readonly traceEvents: readonly TraceEvent[];
}

/** Every task of the browser's pages while `run` does its work. */
export async function tasksOf(browser: Browser, page: Page, run: () => Promise<unknown>) {
  await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline"] });
  await run();
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as Trace;
  const threads = traceEvents.filter((event) => event.name === "thread_name" && event.args.name === MAIN);
  const mains = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  return traceEvents.flatMap(({ name, pid, tid, tdur }) =>
    name === "RunTask" && tdur !== undefined && mains.has(`${pid} ${tid}`) ? [tdur / 1_000] : [],
  );
}

const MAIN = "CrRendererMain";
