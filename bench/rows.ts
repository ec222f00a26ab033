/** The rows of the bench, and what is expected of each. */
import { sentRow } from "./acknowledgements.ts";
import { connectionRows } from "./connections.ts";
import { fanOut, fanOutRow, type FanOut } from "./fan-out.ts";
import { historyRows } from "./history.ts";
import { hotRoomRow } from "./hot-room.ts";
import { ingestRows } from "./ingest.ts";
import { latencyRows } from "./latency.ts";
import { pageRows } from "./page.ts";
import { peersOf } from "./peers.ts";
import { reconnectRows } from "./reconnect.ts";
import type { Row } from "./row.ts";
import { slowReaderRow } from "./slow-reader.ts";
import { soakRows } from "./soak.ts";
import { startBaseline, startSkatSocketIo } from "./systems.ts";

const one = (clients: number, inFlight: number) => ({ clients, inFlight, nodes: 1 });

/** Against a peer a target is what ours may cost, in times the peer's. */
const atMost = (against: string, times: number) => ({ against, atLeast: 1 / times });

export const ROWS: readonly Row[] = [
  fanOutBesidePeers("fan-out-16", one(500, 16), [
    { against: "baseline", atLeast: 8 },
    atMost("Centrifuge", 1),
    atMost("Bun", 1.6),
  ]),
  fanOutBesidePeers("fan-out-4", one(500, 4), [
    { against: "baseline", atLeast: 3 },
    atMost("Centrifuge", 0.9),
  ]),
  fanOutBesidePeers("fan-out-1", one(500, 1), [
    { against: "baseline", atLeast: 1.3 },
    atMost("Centrifuge", 0.85),
    atMost("write() in C", 1.5),
  ]),
  { ...fanOutRow("fan-out-2000", one(2_000, 4), [{ against: "baseline", atLeast: 3 }]), isLong: true },
  fanOutBesidePeers("two-nodes", { clients: 500, inFlight: 4, nodes: 2 }, [
    { against: "baseline", atLeast: 2 },
    atMost("Centrifuge", 0.6),
  ]),
  { ...socketIoRow("socket-io-4", one(500, 4)), isLong: true },
  ...latencyRows(500),
  ...latencyRows(1_000),
  sentRow,
  ...connectionRows,
  ...reconnectRows,
  slowReaderRow,
  hotRoomRow,
  ...pageRows,
  ...ingestRows,
  ...historyRows(),
  ...soakRows,
];

function fanOutBesidePeers(name: string, shape: FanOut, targets: Row["targets"]): Row {
  return fanOutRow(name, shape, targets, peersOf(shape));
}

/** The same clients of Socket.IO, at our door and at the baseline's. */
function socketIoRow(name: string, shape: FanOut): Row {
  return {
    ...fanOutRow(name, shape, [{ against: "baseline", atLeast: 1 / 1.1 }]),
    title: `fan-out to clients of Socket.IO, ${shape.clients} members, ${shape.inFlight} in flight, one node`,
    contenders: [fanOut("skat", startSkatSocketIo, shape), fanOut("baseline", startBaseline, shape)],
  };
}
