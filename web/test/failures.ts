/** What the browser showed when a test failed, kept in `dist/failures`. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BrowserContext } from "playwright-core";
import type { TestContext } from "vitest";

const OUT = resolve(import.meta.dirname, "../../dist/failures");

/** For `afterEach`, before the contexts are closed. */
export async function keepPictures(
  { task }: Pick<TestContext, "task">,
  contexts: readonly BrowserContext[],
): Promise<void> {
  if (task.result?.state !== "fail") return;
  mkdirSync(OUT, { recursive: true });
  const name = task.name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60);
  const pages = contexts.flatMap((context) => context.pages());
  for (const [index, page] of pages.entries()) {
    const path = join(OUT, `${name}-${index}.png`);
    await page.screenshot({ path }).then(
      () => console.log(`${page.url()} as it was: ${path}`),
      (error: unknown) => console.log(`No picture of ${page.url()}: ${String(error)}`),
    );
  }
}
