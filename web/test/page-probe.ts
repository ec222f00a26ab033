/** Looks on from inside a page: when messages came over its socket, when they were there to be painted, and what one's own writing took. */
import type { CDPSession, Page } from "playwright-core";
import type { Echo } from "../../bench/page-job.ts";

export interface Seen {
  /** From a message's frame on the socket to the first frame of the screen that has it, in milliseconds. */
  readonly paintMs: readonly number[];
  /** From a click to the frame that shows one's own words. */
  readonly echoes: readonly Echo[];
}

interface Probe {
  arrivedMs: Map<string, number>;
  paintMs: number[];
  echoes: Echo[];
  click: { ms: number; frames: number } | undefined;
}

declare global {
  var probe: Probe;
}

/** Before the page is opened. */
export async function installProbe(page: Page): Promise<void> {
  await page.addInitScript("globalThis.__name = (named) => named"); // what tsx puts around functions
  await page.addInitScript(watch);
}

/** What was seen since the last time. */
export function readProbe(page: Page): Promise<Seen> {
  return page.evaluate(() => {
    const { paintMs, echoes } = globalThis.probe;
    Object.assign(globalThis.probe, { paintMs: [], echoes: [] });
    return { paintMs, echoes };
  });
}

/** In the page. */
function watch(): void {
  const probe: Probe = { arrivedMs: new Map(), paintMs: [], echoes: [], click: undefined };
  globalThis.probe = probe;
  const Native = WebSocket;
  globalThis.WebSocket = class extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", ({ data }) => {
        const [, id] = /^\{"type":"event",.*?"id":"([^"]+)"/.exec(String(data)) ?? [];
        if (id !== undefined) probe.arrivedMs.set(id, performance.now());
      });
    }
  };
  addEventListener("click", () => void (probe.click = { ms: performance.now(), frames: 0 }), true);
  const onFrame = () => {
    const nowMs = performance.now();
    for (const row of document.querySelectorAll<HTMLElement>(".list article")) {
      const id = row.dataset["message"] ?? "";
      const arrivedMs = probe.arrivedMs.get(id);
      if (arrivedMs !== undefined) probe.paintMs.push(nowMs - arrivedMs);
      probe.arrivedMs.delete(id);
    }
    const { click } = probe;
    if (click !== undefined) {
      click.frames += 1;
      if (document.querySelector('[data-delivery="waiting"], [data-delivery="sent"]') !== null) {
        probe.echoes.push({ frames: click.frames, ms: nowMs - click.ms });
        probe.click = undefined;
      }
    }
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
}

/** Milliseconds that the page's main thread has worked, as the processor counts them. */
export async function cpuMeter(devtools: CDPSession): Promise<() => Promise<number>> {
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    const task = metrics.find(({ name }) => name === "TaskDuration");
    return (task?.value ?? Number.NaN) * 1_000;
  };
}

/** Bytes of all frames of the page's sockets, both ways. */
export async function byteMeter(devtools: CDPSession): Promise<() => number> {
  let bytes = 0;
  const count = ({ response }: { response: { payloadData: string } }) =>
    void (bytes += Buffer.byteLength(response.payloadData));
  devtools.on("Network.webSocketFrameReceived", count);
  devtools.on("Network.webSocketFrameSent", count);
  await devtools.send("Network.enable");
  return () => bytes;
}

/** Bytes of the page's heap that are in use after all garbage was collected. */
export async function heapBytes(devtools: CDPSession): Promise<number> {
  await devtools.send("HeapProfiler.enable");
  await devtools.send("HeapProfiler.collectGarbage");
  return (await devtools.send("Runtime.getHeapUsage")).usedSize;
}
