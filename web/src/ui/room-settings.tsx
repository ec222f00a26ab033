/** A room's name and topic for those who may change them, its archive, and the way out. */
import { useState } from "react";
import type { Client, ListedRoom } from "@skat/client";
import { LOBBY } from "@skat/client";
import type { RoomCalls, RoomChanges } from "../room-calls.ts";
import { texts } from "../texts.ts";
import { Confirmed } from "./confirmed.tsx";
import { FaultLine } from "./fault-line.tsx";
import { Field } from "./field.tsx";
import { useForm } from "./use-form.ts";

export interface RoomSettingsProps {
  readonly chat: Client;
  readonly calls: RoomCalls;
  readonly room: ListedRoom;
  readonly onRoom: (room: ListedRoom) => void;
  readonly onLeft: () => void;
}

export function RoomSettings({ chat, calls, room, onRoom, onLeft }: RoomSettingsProps) {
  const form = useForm();
  const isOwner = room.role === "owner";
  const mayDescribe = !room.archived && (isOwner || room.role === "moderator");
  const change = async (changes: RoomChanges) => onRoom(await calls.update(changes));
  const leave = async () => {
    await calls.leave();
    chat.leave(room.id);
    onLeft();
  };
  return (
    <>
      {mayDescribe && <Description room={room} isOwner={isOwner} onChange={change} />}
      <FaultLine fault={form.fault} />
      <p className="stack">
        {isOwner && (
          <button onClick={() => void form.run(() => change({ archived: !room.archived }))}>
            {room.archived ? texts.room.unarchive : texts.room.archive}
          </button>
        )}
        {room.id !== LOBBY && <Confirmed label={texts.room.leave} onConfirm={() => void form.run(leave)} />}
      </p>
    </>
  );
}

interface DescriptionProps {
  readonly room: ListedRoom;
  readonly isOwner: boolean;
  readonly onChange: (changes: RoomChanges) => Promise<void>;
}

function Description({ room, isOwner, onChange }: DescriptionProps) {
  const [name, setName] = useState(room.name);
  const [topic, setTopic] = useState(room.topic);
  const [isSaved, setSaved] = useState(false);
  const { isBusy, fault, onSubmit } = useForm();
  const save = async () => {
    await onChange(isOwner ? { name, topic } : { topic });
    setSaved(true);
  };
  const edit = (set: (text: string) => void) => (text: string) => (set(text), setSaved(false));
  return (
    <form onSubmit={onSubmit(save)}>
      {isOwner && <Field label={texts.room.name} value={name} onText={edit(setName)} autoComplete="off" />}
      <Field
        label={texts.room.topic}
        value={topic}
        onText={edit(setTopic)}
        autoComplete="off"
        maxLength={500}
      />
      <FaultLine fault={fault} />
      <p className="row">
        <button className="primary" disabled={isBusy}>
          {texts.room.save}
        </button>
        <span role="status" className="hint">
          {isSaved && texts.room.saved}
        </span>
      </p>
    </form>
  );
}
