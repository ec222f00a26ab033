/** The public rooms that one is not in, to search and to join. */
import { useState } from "react";
import type { ListedRoom } from "@skat/client";
import { texts } from "../texts.ts";
import { Dialog } from "./dialog.tsx";
import { Field } from "./field.tsx";

export interface FindRoomsDialogProps {
  readonly rooms: readonly ListedRoom[];
  readonly onJoin: (id: string) => void;
  readonly onClose: () => void;
}

export function FindRoomsDialog({ rooms, onJoin, onClose }: FindRoomsDialogProps) {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLocaleLowerCase();
  const found = rooms.filter(({ name, topic }) => `${name} ${topic}`.toLocaleLowerCase().includes(wanted));
  return (
    <Dialog title={texts.rooms.find} place="middle" onClose={onClose}>
      <Field
        label={texts.findRooms.search}
        type="search"
        value={search}
        onText={setSearch}
        autoComplete="off"
      />
      <p className="hint" role="status">
        {found.length === 0 ? texts.findRooms.none : texts.findRooms.found(found.length)}
      </p>
      <ul className="items">
        {found.map(({ id, name, topic }) => (
          <li key={id} className="item">
            <p className="item-main">
              <bdi className="item-title">{name}</bdi>
              {topic !== "" && <bdi className="hint">{topic}</bdi>}
            </p>
            <button aria-label={texts.findRooms.joinNamed(name)} onClick={() => onJoin(id)}>
              {texts.findRooms.join}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
