/** About a room: its people, and for those who may its invitations, bans and settings. */
import { useState } from "react";
import type { Client, ListedRoom, User } from "@skat/client";
import { roomCalls } from "../room-calls.ts";
import { texts } from "../texts.ts";
import { BanList } from "./ban-list.tsx";
import { Dialog } from "./dialog.tsx";
import { InvitationList } from "./invitation-list.tsx";
import { PeopleList } from "./people-list.tsx";
import { RoomSettings } from "./room-settings.tsx";

export interface RoomDialogProps {
  readonly chat: Client;
  readonly room: ListedRoom;
  readonly name: string;
  readonly me: User;
  readonly onRoom: (room: ListedRoom) => void;
  readonly onLeft: () => void;
  readonly onDirect: (userId: string) => Promise<void>;
  readonly onClose: () => void;
}

type Part = "people" | "invitations" | "bans" | "settings";

export function RoomDialog(props: RoomDialogProps) {
  const { chat, room, name, onClose } = props;
  const [shown, setShown] = useState<Part>("people");
  const parts = partsOf(room);
  const part = parts.includes(shown) ? shown : "people";
  const calls = roomCalls(chat, room.id);
  return (
    <Dialog title={texts.room.details(name)} place="end" onClose={onClose}>
      {room.topic !== "" && (
        <p className="muted topic" dir="auto">
          {room.topic}
        </p>
      )}
      <nav className="parts" aria-label={texts.room.details(name)}>
        {parts.map((other) => (
          <button
            key={other}
            aria-current={other === part ? "page" : undefined}
            onClick={() => setShown(other)}
          >
            {texts.room[other]}
          </button>
        ))}
      </nav>
      {part === "people" && <PeopleList {...props} calls={calls} />}
      {part === "invitations" && <InvitationList calls={calls} room={room} />}
      {part === "bans" && <BanList calls={calls} room={room} />}
      {part === "settings" && <RoomSettings {...props} calls={calls} />}
    </Dialog>
  );
}

/** As `docs/protocol.md` says who may; the server decides. */
function partsOf({ kind, role, archived }: ListedRoom): readonly Part[] {
  if (kind === "direct") return ["people"];
  const isModerator = role === "owner" || role === "moderator";
  return [
    "people",
    ...(isModerator && !archived ? (["invitations"] as const) : []),
    ...(isModerator ? (["bans"] as const) : []),
    "settings",
  ];
}
