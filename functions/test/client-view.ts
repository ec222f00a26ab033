/** What a client by rules K1–K3 knows of one room. */
import { NO_POSITION, type RoomEvent, type ServerFrame } from "../protocol.ts";

export type Of<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

export interface View {
  events: Map<string, RoomEvent>;
  cursor: string;
  provisional: boolean;
  /** Its last page said that nothing is older. */
  complete: boolean;
  /** It was told that it is no member any more: it shows and says nothing there. */
  closed: boolean;
  joining: boolean;
  /** When a refused join is tried again. */
  joinAtMs: number;
  /** What its events have yet to follow: only both together count, for the connection may end in between. */
  header: Of<"joined"> | Of<"reset"> | undefined;
}

/** As before it has asked anything. */
export function newView(closed: boolean): View {
  return {
    events: new Map(),
    cursor: NO_POSITION,
    provisional: true,
    complete: false,
    closed,
    joining: true,
    joinAtMs: Infinity,
    header: undefined,
  };
}

/** What only a member may hear. */
const OF_ROOM = ["joined", "reset", "events", "event", "member"] as const;

export function tellsOfRoom(frame: ServerFrame): frame is Of<(typeof OF_ROOM)[number]> {
  return OF_ROOM.some((type) => type === frame.type);
}
