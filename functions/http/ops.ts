/** What operators ask: is the process alive, is it of use, what does it count. The same on node and consumer. */
import { Hono } from "hono";
import type { Metrics } from "../lib/metrics.ts";

/** `unready` answers the reasons; none means ready. */
export function createOps(metrics: Metrics, unready: () => readonly string[]): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/readyz", (c) => {
    const reasons = unready();
    return c.json({ ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503);
  });
  app.get("/metrics", async (c) =>
    c.text(await metrics.render(), 200, { "content-type": metrics.contentType }),
  );
  return app;
}
