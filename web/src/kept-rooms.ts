/**
 * What a person's rooms showed last, kept in the browser's local storage: the page opens with it, also without a network. It is this
 * person's alone: what another one left is taken away, and signing out takes away all.
 */
import type { Client, ClientSnapshot, ListedRoom, RoomView } from "@skat/client";
import { markOf } from "./unread.ts";

export interface KeptRooms {
  readonly views: ReadonlyMap<string, RoomView>;
  list(): readonly ListedRoom[];
  /** Written with the next change of the client. */
  saveList(rooms: readonly ListedRoom[]): void;
  /** Direct rooms are called after the others in them. */
  names(): ReadonlyMap<string, string>;
  saveNames(names: ReadonlyMap<string, string>): void;
  /** Keeps what this client shows, a little later than it does. */
  follow(chat: Client): void;
  stop(): void;
  /** Stops, and takes all away. */
  forget(): void;
}

const PREFIX = "skat.kept.";
const WRITE_PAUSE_MS = 1_000;
const EVENTS_MAX = 50;
/** As JSON: twenty full rooms leave most of a browser's five megabytes free. */
const CHARACTERS_MAX = 60_000;

export function createKeptRooms(userId: string, storage: Storage): KeptRooms {
  const own = `${PREFIX}${userId}.`;
  const viewKey = (room: string) => `${own}view.${room}`;
  remove(storage, (key) => !key.startsWith(own));
  const read = <Value>(name: string): readonly Value[] => {
    const value = parse(storage.getItem(own + name));
    return Array.isArray(value) ? (value as Value[]) : [];
  };
  const write = (key: string, value: object) => {
    try {
      storage.setItem(key, JSON.stringify(value));
    } catch (error) {
      storage.removeItem(key);
      console.warn("Not kept for a time without a network.", error);
    }
  };
  const following = new AbortController();
  const { signal } = following;
  let rooms: readonly ListedRoom[] | undefined;
  const written = new Map<string, RoomView>();
  const save = (chat: Client) => {
    const snapshot = chat.getSnapshot();
    if (rooms !== undefined)
      write(
        `${own}rooms`,
        rooms.map((room) => withMark(room, snapshot)),
      );
    for (const [id, { view, error }] of snapshot.rooms) {
      if (error !== undefined) storage.removeItem(viewKey(id));
      else if (view !== undefined && written.get(id) !== view) {
        written.set(id, view);
        write(viewKey(id), newestOf(view));
      }
    }
  };
  return {
    views: readViews(storage, viewKey("")),
    list: () => read<ListedRoom>("rooms"),
    saveList: (listed) => void (rooms = listed),
    names: () => new Map(read<[string, string]>("names")),
    saveNames: (names) => write(`${own}names`, [...names]),
    follow: (chat) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const saveNow = () => {
        clearTimeout(timer);
        timer = undefined;
        if (!signal.aborted) save(chat);
      };
      chat.on("change", () => void (timer ??= setTimeout(saveNow, WRITE_PAUSE_MS)), { signal });
      window.addEventListener("pagehide", saveNow, { signal });
    },
    stop: () => following.abort(),
    forget: () => {
      following.abort();
      remove(storage, () => true);
    },
  };
}

/** With the mark that is in force by now. */
function withMark(listed: ListedRoom, { rooms }: ClientSnapshot): ListedRoom {
  const read = markOf(rooms.get(listed.id), listed);
  return read === undefined || read === listed.read ? listed : { ...listed, read, unread: 0 };
}

/** The end of a view that is small enough to be kept; a view by itself. */
export function newestOf(view: RoomView): RoomView {
  const newest = view.events.slice(-EVENTS_MAX).filter(({ position }) => position >= view.wholeFrom);
  let characters = 0;
  const fits = newest
    .toReversed()
    .findIndex((event) => (characters += JSON.stringify(event).length) > CHARACTERS_MAX);
  const events = fits === -1 ? newest : newest.slice(-Math.max(1, fits));
  const before = view.events.at(-events.length - 1);
  const isCut = before !== undefined && before.position >= view.wholeFrom;
  if (!isCut) return { ...view, events };
  return { ...view, events, wholeFrom: events[0]?.position ?? view.cursor, complete: false };
}

function readViews(storage: Storage, prefix: string): ReadonlyMap<string, RoomView> {
  const views = new Map<string, RoomView>();
  for (const key of keysOf(storage).filter((name) => name.startsWith(prefix))) {
    const view = parse(storage.getItem(key));
    if (isView(view)) views.set(key.slice(prefix.length), view);
    else storage.removeItem(key);
  }
  return views;
}

/** What a browser holds was written by any earlier version of the page. */
function isView(value: unknown): value is RoomView {
  const { events, cursor, wholeFrom, complete, provisional } = (value ?? {}) as Record<string, unknown>;
  const isWhole = typeof cursor === "string" && typeof wholeFrom === "string" && Array.isArray(events);
  return isWhole && typeof complete === "boolean" && typeof provisional === "boolean";
}

function remove(storage: Storage, isUnwanted: (key: string) => boolean): void {
  for (const key of keysOf(storage)) if (key.startsWith(PREFIX) && isUnwanted(key)) storage.removeItem(key);
}

function keysOf(storage: Storage): readonly string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch (error) {
    console.warn("What was kept could not be read.", error);
    return undefined;
  }
}
