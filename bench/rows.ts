/** The rows of the bench, and what is expected of each. */
import { sentRow } from "./acknowledgements.ts";
import { connectionRows } from "./connections.ts";
import { fanOut, fanOutRow, type FanOut } from "./fan-out.ts";
import { historyRows } from "./history.ts";
import { ingestRows } from "./ingest.ts";
import { latencyRows } from "./latency.ts";
import type { Row } from "./row.ts";
import { slowReaderRow } from "./slow-reader.ts";
import { startBaseline, startSkatSocketIo } from "./systems.ts";

const one = (clients: number, inFlight: number) => ({ clients, inFlight, nodes: 1 });

export const ROWS: readonly Row[] = [
  fanOutRow("fan-out-16", one(500, 16), [{ against: "baseline", atLeast: 8 }]),
  fanOutRow("fan-out-4", one(500, 4), [{ against: "baseline", atLeast: 3 }]),
  fanOutRow("fan-out-1", one(500, 1), [{ against: "baseline", atLeast: 1.3 }]),
  fanOutRow("fan-out-2000", one(2_000, 4), [{ against: "baseline", atLeast: 3 }]),
  fanOutRow("two-nodes", { clients: 500, inFlight: 4, nodes: 2 }, [{ against: "baseline", atLeast: 2 }]),
  socketIoRow("socket-io-4", one(500, 4)),
  ...latencyRows(500),
  ...latencyRows(1_000),
  sentRow,
  ...connectionRows,
  slowReaderRow,
  ...ingestRows,
  ...historyRows(),
];

/** The same clients of Socket.IO, at our door and at the baseline's. */
function socketIoRow(name: string, shape: FanOut): Row {
  return {
    ...fanOutRow(name, shape, [{ against: "baseline", atLeast: 1 / 1.1 }]),
    title: `fan-out to clients of Socket.IO, ${shape.clients} members, ${shape.inFlight} in flight, one node`,
    contenders: [fanOut("skat", startSkatSocketIo, shape), fanOut("baseline", startBaseline, shape)],
  };
}
