/** Where one is, kept in the page's address, so that a reload or a shared link leads there: `#/<room>`, or `#/invite/<code>`. */
import { useEffect, useState } from "react";
import { LOBBY } from "@skat/client";

export interface Address {
  readonly room: string;
  /** Of an invitation that was followed. */
  readonly invitation: string | undefined;
}

export function useRoomAddress(): [Address, (room: string) => void] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = () => setHash(location.hash);
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }, []);
  const go = (room: string) => (location.hash = room === LOBBY ? "" : `/${encodeURIComponent(room)}`);
  return [parseAddress(hash), go];
}

export function invitationUrl(code: string): string {
  return `${location.origin}/#/invite/${encodeURIComponent(code)}`;
}

function parseAddress(hash: string): Address {
  const [, code] = /^#\/invite\/(.+)$/.exec(hash) ?? [];
  if (code !== undefined) return { room: LOBBY, invitation: decode(code) };
  const [, room = LOBBY] = /^#\/([^/]+)$/.exec(hash) ?? [];
  return { room: decode(room), invitation: undefined };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A broken address is no room; the server says so.
    return text;
  }
}
