/** What nodes count of their repairs, read from their metrics. */
import type { Slot } from "./fleet.ts";

/** Name and labels, and the count over all nodes that lived on. */
export type Counters = ReadonlyMap<string, number>;

/** Per process, so that one that was replaced in between is left out. */
export type Readings = ReadonlyMap<number, Counters>;

const COUNTED = /^(skat_hub_(?:repairs|resumes)_total\{source="\w+"\}) (\d+)$/gm;

export async function readCounters(nodes: readonly Slot[]): Promise<Readings> {
  const readings = nodes.map(async ({ running }) => {
    const text = await (await fetch(`${running.url}/metrics`)).text();
    const counts = [...text.matchAll(COUNTED)].map(([, name = "", count]) => [name, Number(count)] as const);
    return [running.pid, new Map(counts)] as const;
  });
  return new Map(await Promise.all(readings));
}

export function difference(before: Readings, after: Readings): Counters {
  const sums = new Map<string, number>();
  for (const [pid, counts] of after) {
    const earlier = before.get(pid);
    if (!earlier) continue;
    for (const [name, count] of counts)
      sums.set(name, (sums.get(name) ?? 0) + count - (earlier.get(name) ?? 0));
  }
  return sums;
}
