/** Gives the page its service worker, which the browser looks for a new version of at every visit. */

export function registerServiceWorker(): void {
  // Vite's own server has none, and a page that is not secure may not have one.
  if (import.meta.env.DEV || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" }).catch((error: unknown) => {
    console.warn("The page won’t open without a network.", error);
  });
}
