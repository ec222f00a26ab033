/** The people of a room, and what one may do with each. */
import { useEffect } from "react";
import type { Client, ListedRoom, Role, User } from "@skat/client";
import { isMuted, LISTED_MAX, listBlocked, setBlocked, type Member, type RoomCalls } from "../room-calls.ts";
import { texts } from "../texts.ts";
import { Avatar } from "./avatar.tsx";
import { FaultLine } from "./fault-line.tsx";
import { PersonActions } from "./person-actions.tsx";
import { useForm } from "./use-form.ts";
import { useLoaded } from "./use-loaded.ts";

export interface PeopleListProps {
  readonly chat: Client;
  readonly calls: RoomCalls;
  readonly room: ListedRoom;
  readonly me: User;
  readonly onDirect: (userId: string) => Promise<void>;
}

const RANKS: readonly Role[] = ["owner", "moderator", "member", "read-only"];

export function PeopleList({ chat, calls, room, me, onDirect }: PeopleListProps) {
  const { value, fault, reload } = useLoaded(`people ${room.id}`, () =>
    Promise.all([calls.members(), listBlocked(chat)]),
  );
  const form = useForm();
  useEffect(() => chat.on("member", (frame) => frame.room === room.id && reload()), [chat, room.id, reload]);
  if (value === undefined)
    return fault ? <FaultLine fault={fault} /> : <p className="muted">{texts.loading}</p>;

  const [members, blocked] = value;
  const act = (action: () => Promise<unknown>) => void form.run(async () => void (await action(), reload()));
  return (
    <>
      <FaultLine fault={form.fault ?? fault} />
      <ul className="items">
        {members.toSorted(byRank).map((member) => (
          <li key={member.user.id} className="item">
            <Avatar userId={member.user.id} name={member.user.name} />
            <p className="item-main">
              <bdi className="item-title">{member.user.name}</bdi>
              <span className="hint">{describe(member, me)}</span>
            </p>
            {member.user.id !== me.id && (
              <PersonActions
                member={member}
                myRole={room.kind === "direct" ? undefined : room.role}
                isDirect={room.kind === "direct"}
                isBlocked={blocked.includes(member.user.id)}
                calls={calls}
                onAct={act}
                onDirect={() => onDirect(member.user.id)}
                onBlock={(isBlocked) => setBlocked(chat, member.user.id, isBlocked)}
              />
            )}
          </li>
        ))}
      </ul>
      {members.length === LISTED_MAX && <p className="hint">{texts.room.more(LISTED_MAX)}</p>}
    </>
  );
}

function describe({ user, role, mutedUntilMs }: Member, me: User): string {
  const parts: string[] = [texts.roles[role]];
  if (user.id === me.id) parts.push(texts.room.you);
  if (isMuted(mutedUntilMs)) parts.push(texts.room.muted);
  return parts.join(" · ");
}

function byRank(one: Member, other: Member): number {
  return RANKS.indexOf(one.role) - RANKS.indexOf(other.role) || one.user.name.localeCompare(other.user.name);
}
