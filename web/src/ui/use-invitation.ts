/** Accepts the invitation that the page's address names, once there is a connection, and goes to its room. */
import { useEffect, useState } from "react";
import type { Client, ListedRoom } from "@skat/client";
import { redeem } from "../room-calls.ts";
import { toFault, type Fault } from "./fault.ts";

export function useInvitation(
  chat: Client,
  code: string | undefined,
  isOnline: boolean,
  onRoom: (room: ListedRoom) => void,
): Fault | undefined {
  const [fault, setFault] = useState<Fault>();
  useEffect(() => {
    if (code === undefined || !isOnline) return setFault(undefined);
    redeem(chat, code).then(onRoom, (error: unknown) => setFault(toFault(error)));
    // The invitation and the connection say when; the callback is another at each drawing.
  }, [chat, code, isOnline]);
  return fault;
}
