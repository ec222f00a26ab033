/** The rooms that one is in, direct ones apart, and the ways to more. */
import type { ListedRoom } from "@skat/client";
import { errorText, texts } from "../texts.ts";
import type { Fault } from "./fault.ts";
import { LockIcon, PlusIcon, SearchIcon } from "./icons.tsx";

export interface RoomListProps {
  readonly rooms: readonly ListedRoom[];
  readonly nameOf: (room: ListedRoom) => string;
  readonly fault: Fault | undefined;
  readonly current: string;
  readonly unread: ReadonlyMap<string, number>;
  readonly hasDraft: (room: string) => boolean;
  readonly onReload: () => void;
  readonly onOpen: (id: string) => void;
  readonly onCreate: () => void;
  readonly onFind: () => void;
}

export function RoomList(props: RoomListProps) {
  const { rooms, fault, onReload, onCreate, onFind } = props;
  const direct = rooms.filter(({ kind }) => kind === "direct");
  return (
    <nav className="rooms" aria-label={texts.rooms.title}>
      <h2>{texts.rooms.title}</h2>
      <ul>
        {rooms
          .filter((room) => !direct.includes(room))
          .map((room) => (
            <Entry key={room.id} room={room} {...props} />
          ))}
      </ul>
      <p className="rooms-more">
        <button className="quiet" onClick={onCreate}>
          <PlusIcon /> {texts.rooms.create}
        </button>
        <button className="quiet" onClick={onFind}>
          <SearchIcon /> {texts.rooms.find}
        </button>
      </p>
      {direct.length > 0 && (
        <>
          <h2>{texts.rooms.direct}</h2>
          <ul>
            {direct.map((room) => (
              <Entry key={room.id} room={room} {...props} />
            ))}
          </ul>
        </>
      )}
      {fault && (
        <p className="error" role="alert">
          {errorText(fault)}{" "}
          <button className="link" onClick={onReload}>
            {texts.rooms.retry}
          </button>
        </p>
      )}
    </nav>
  );
}

function Entry({ room, nameOf, current, unread, hasDraft, onOpen }: RoomListProps & { room: ListedRoom }) {
  const { id, kind, archived } = room;
  const count = unread.get(id) ?? 0;
  return (
    <li>
      <button className="room" aria-current={id === current ? "page" : undefined} onClick={() => onOpen(id)}>
        <span className="room-name">
          <bdi>{nameOf(room)}</bdi>
        </span>
        {kind === "private" && <LockIcon title={texts.rooms.private} />}
        {archived && <span className="tag">{texts.rooms.archived}</span>}
        {id !== current && hasDraft(id) && <span className="tag">{texts.rooms.draft}</span>}
        {count > 0 && <span className="unread">{texts.rooms.unread(count)}</span>}
      </button>
    </li>
  );
}
