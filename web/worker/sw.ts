/**
 * The service worker: opens the page without a network, and shows it when a notification is pressed.
 *
 * It keeps one version of the page, whole: the document as it came last and the hashed files that it names. With a network the document
 * is always the server's, so that no old version outlives a deploy; without one, the kept document finds all of its files.
 */
import { filesOf } from "./files.ts";

declare const self: ServiceWorkerGlobalScope;

const KEPT = "skat.page";
const DOCUMENT = "/";
const FILES = "/assets/";

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === DOCUMENT) event.respondWith(openDocument(event));
  else if (pathname.startsWith(FILES)) event.respondWith(openFile(request));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { address } = event.notification.data as { address: string };
  event.waitUntil(openAt(address));
});

async function install(): Promise<void> {
  await keep(await fetch(DOCUMENT, { cache: "no-cache" }));
  await self.skipWaiting();
}

/** The server's, or the kept one where the server can't be reached or has nothing but a fault to give. */
async function openDocument(event: FetchEvent): Promise<Response> {
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(keep(response.clone()));
    return response.status < 500 ? response : ((await caches.match(DOCUMENT)) ?? response);
  } catch (error) {
    const kept = await caches.match(DOCUMENT);
    if (kept === undefined) throw error;
    return kept;
  }
}

/** Never changes under its name. */
async function openFile(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** Takes the place of the version before, once all of it is here. */
async function keep(document: Response): Promise<void> {
  if (!document.ok) throw new Error(`The page was answered with ${document.status}.`);
  const files = filesOf(await document.clone().text());
  const cache = await caches.open(KEPT);
  const missing = await Promise.all(files.map(async (file) => ((await cache.match(file)) ? [] : [file])));
  await cache.addAll(missing.flat());
  await cache.put(DOCUMENT, document);
  const wanted = new Set([DOCUMENT, ...files]);
  for (const { url } of await cache.keys()) if (!wanted.has(new URL(url).pathname)) await cache.delete(url);
}

/** In a page that is open, where there is one. */
async function openAt(address: string): Promise<void> {
  const [page] = await self.clients.matchAll({ type: "window" });
  if (page === undefined) return void (await self.clients.openWindow(address));
  await page.navigate(new URL(address, self.location.origin).href);
  await page.focus();
}
