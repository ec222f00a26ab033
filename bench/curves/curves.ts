/** The curves of the bench: how cost grows with what there is more of. */
import type { Curve } from "./curve.ts";
import { measureLoad, type Load } from "./load-point.ts";
import { measureRows } from "./rows-point.ts";

const USUAL: Load = { members: 200, nodes: 1, rooms: 1, connections: 0, bodyBytes: 200 };

const shared = { panels: ["µs CPU per delivery", "MB resident, all nodes"] };

export const CURVES: readonly Curve[] = [
  along("members", "Cost by members of a room", "members of the room", {
    quick: [10, 100, 500],
    full: [10, 50, 100, 500, 1_000, 2_000, 5_000],
  }),
  along("rooms", `Cost to ${USUAL.members} members by rooms open on the node`, "rooms open on the node", {
    quick: [1, 100, 500],
    full: [1, 10, 100, 1_000, 10_000],
  }),
  along("nodes", `Cost to ${USUAL.members} members by nodes that share them`, "nodes", {
    quick: [1, 2],
    full: [1, 2, 3, 4],
  }),
  along("connections", "Cost to 100 members by connections of the node", "connections of the node", {
    quick: [100, 500, 1_000],
    full: [100, 500, 1_000, 2_000, 5_000, 10_000],
  }),
  along("bodyBytes", `Cost to ${USUAL.members} members by bytes of a message`, "bytes of a message", {
    quick: [50, 1_000, 8_000],
    full: [50, 200, 1_000, 2_000, 4_000, 8_192],
  }),
  {
    name: "rows",
    title: "A page of history by rows of its room",
    xTitle: "rows in the store",
    panels: ["ms, the newest page, p50", "ms, a page anywhere, p50"],
    xs: { quick: [10_000, 100_000], full: [10_000, 100_000, 1_000_000, 10_000_000] },
    measure: measureRows,
  },
];

function along(name: keyof Load, title: string, xTitle: string, xs: Curve["xs"]): Curve {
  const usual = name === "connections" ? { ...USUAL, members: 100 } : USUAL;
  return {
    ...shared,
    name,
    title,
    xTitle,
    xs,
    measure: (x, engines, options) => measureLoad({ ...usual, [name]: x }, engines, options),
  };
}
