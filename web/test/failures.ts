/** What browsers did and showed when a test failed, kept in `dist/failures`: pictures, and traces for `npx playwright-core show-trace`. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BrowserContext } from "playwright-core";
import type { TestContext } from "vitest";

const OUT = resolve(import.meta.dirname, "../../dist/failures");

/** From here on the context remembers what happens in it. */
export async function startTrace(context: BrowserContext): Promise<void> {
  await context.tracing.start({ screenshots: true, snapshots: true });
}

/** For `afterEach`, before the contexts are closed. */
export async function keepFailure(
  { task }: Pick<TestContext, "task">,
  contexts: readonly BrowserContext[],
): Promise<void> {
  if (task.result?.state !== "fail") return;
  mkdirSync(OUT, { recursive: true });
  const name = task.name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60);
  const pages = contexts.flatMap((context) => context.pages());
  for (const [index, page] of pages.entries()) {
    const path = join(OUT, `${name}-${index}.png`);
    await keep(`${page.url()} as it was`, path, page.screenshot({ path }));
  }
  for (const [index, context] of contexts.entries()) {
    const path = join(OUT, `${name}-${index}.trace.zip`);
    const kept = context.tracing.stop({ path }).then(() => startTrace(context));
    await keep(`What browser ${index} did`, path, kept);
  }
}

/** A browser that is gone must not hide why the test failed. */
async function keep(what: string, path: string, kept: Promise<unknown>): Promise<void> {
  await kept.then(
    () => console.log(`${what}: ${path}`),
    (error: unknown) => console.log(`${what} could not be kept: ${String(error)}`),
  );
}
