/**
 * The main way through the page in Firefox: entering, a first message, a reload, and what is written without a network.
 * `npx tsx web/test/firefox.ts [path of Firefox]`; Debian's package is `firefox-esr`. Fails where anything of it does not come.
 */
import { startEmbedded } from "../../functions/test/harness.ts";
import { BidiPage } from "./bidi.ts";
import { startSite } from "./site.ts";

const WORDS = ["one", "two", "three"].map((word) => `From the tunnel ${word}`);

const isSaved = (text: string) =>
  `[...document.querySelectorAll("article")].some((row) => row.textContent.includes(${JSON.stringify(text)}) && row.querySelector('[data-delivery="saved"]') !== null)`;
/** Where there is no mouse, as without a screen, the page leaves the focus where it is. */
const toComposer = `(() => {
  const field = document.querySelector('#composer[placeholder="Write a message"]');
  field?.focus();
  return field !== null;
})()`;

async function walk(page: BidiPage, site: Awaited<ReturnType<typeof startSite>>): Promise<void> {
  await page.goTo(site.url);
  await page.until(`document.querySelector("input")?.focus() === undefined`);
  await page.until(`document.activeElement?.labels?.[0]?.innerText === "Your name"`);
  await page.enter("Ada");
  await page.until(toComposer);
  await page.enter("My first words");
  await page.until(isSaved("My first words"));
  console.log("entered, and the first message is saved");
  await page.reload();
  await page.until(isSaved("My first words"));
  await page.until("navigator.serviceWorker.controller !== null");
  console.log("it is there after a reload");
  site.setReachable(false);
  await page.reload();
  await page.until(toComposer);
  for (const text of WORDS) await page.enter(text);
  await page.until(`document.querySelectorAll('[data-delivery="waiting"]').length === ${WORDS.length}`);
  console.log("without a network it opens, shows what it had, and takes three messages");
  site.setReachable(true);
  for (const text of WORDS) await page.until(isSaved(text));
  const order = await page.evaluate(
    `[...document.querySelectorAll(".bubble .body")].map((body) => body.innerText).filter((text) => text.startsWith("From")).join()`,
  );
  if (order !== WORDS.join()) throw new Error(`They are there as ${String(order)}.`);
  console.log("with a network they are saved, each once and in order");
}

const server = await startEmbedded();
const site = await startSite(() => server.url);
const page = await BidiPage.open(process.argv[2] ?? "firefox-esr");
try {
  await walk(page, site);
  console.log(String(await page.evaluate("navigator.userAgent")));
} finally {
  await page.close();
  await site.close();
  await server.stop();
}
