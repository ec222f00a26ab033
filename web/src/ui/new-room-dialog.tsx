/** A new room: its name, what it is about, and who may come in. */
import { useState } from "react";
import type { Client, ListedRoom } from "@skat/client";
import { createRoom, type NewRoom } from "../room-calls.ts";
import { texts } from "../texts.ts";
import { Dialog } from "./dialog.tsx";
import { FaultLine } from "./fault-line.tsx";
import { Field } from "./field.tsx";
import { useForm } from "./use-form.ts";

export interface NewRoomDialogProps {
  readonly chat: Client;
  readonly onRoom: (room: ListedRoom) => void;
  readonly onClose: () => void;
}

const KINDS = [
  { kind: "public", label: texts.newRoom.public, hint: texts.newRoom.publicHint },
  { kind: "private", label: texts.newRoom.private, hint: texts.newRoom.privateHint },
] as const;

export function NewRoomDialog({ chat, onRoom, onClose }: NewRoomDialogProps) {
  const [room, setRoom] = useState<NewRoom>({ name: "", topic: "", kind: "public" });
  const { isBusy, fault, onSubmit } = useForm();
  const { nameLengthMax } = chat.getSnapshot().limits;
  const set = (changes: Partial<NewRoom>) => setRoom((before) => ({ ...before, ...changes }));

  return (
    <Dialog title={texts.rooms.create} place="middle" onClose={onClose}>
      <form
        onSubmit={onSubmit(async () => onRoom(await createRoom(chat, { ...room, name: room.name.trim() })))}
      >
        <Field
          label={texts.newRoom.name}
          value={room.name}
          maxLength={nameLengthMax}
          autoComplete="off"
          onText={(name) => set({ name })}
        />
        <Field
          label={texts.newRoom.topic}
          value={room.topic}
          maxLength={500}
          autoComplete="off"
          onText={(topic) => set({ topic })}
        />
        <fieldset>
          <legend>{texts.newRoom.kind}</legend>
          {KINDS.map(({ kind, label, hint }) => (
            <label key={kind} className="choice">
              <input type="radio" name="kind" checked={room.kind === kind} onChange={() => set({ kind })} />
              <span>
                {label}
                <span className="hint">{hint}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <FaultLine fault={fault} />
        <button className="primary" disabled={isBusy || room.name.trim() === ""}>
          {texts.newRoom.submit}
        </button>
      </form>
    </Dialog>
  );
}
