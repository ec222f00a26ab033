/** The rows of the bench, and what is expected of each. */
import { fanOutRow } from "./fan-out.ts";
import type { Row } from "./row.ts";

const one = (clients: number, inFlight: number) => ({ clients, inFlight, nodes: 1 });

export const ROWS: readonly Row[] = [
  fanOutRow("fan-out-16", one(500, 16), [{ against: "baseline", atLeast: 8 }]),
  fanOutRow("fan-out-4", one(500, 4), [{ against: "baseline", atLeast: 3 }]),
  fanOutRow("fan-out-1", one(500, 1), [{ against: "baseline", atLeast: 1.3 }]),
  fanOutRow("fan-out-2000", one(2_000, 4), [{ against: "baseline", atLeast: 3 }]),
  fanOutRow("two-nodes", { clients: 500, inFlight: 4, nodes: 2 }, [{ against: "baseline", atLeast: 2 }]),
];
