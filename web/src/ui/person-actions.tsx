/** What one may do with a person of a room: write to them, and for those who may their role, mute, removal and ban. */
import { useState } from "react";
import type { Role } from "@skat/client";
import { isMuted, type Member, type RoomCalls } from "../room-calls.ts";
import { texts } from "../texts.ts";
import { Confirmed } from "./confirmed.tsx";

export interface PersonActionsProps {
  readonly member: Member;
  /** One's own; none where nobody moderates. */
  readonly myRole: Role | undefined;
  readonly isDirect: boolean;
  readonly isBlocked: boolean;
  readonly calls: RoomCalls;
  readonly onAct: (action: () => Promise<unknown>) => void;
  readonly onDirect: () => Promise<void>;
  readonly onBlock: (isBlocked: boolean) => Promise<unknown>;
}

const MUTE_MS = 60 * 60_000;
const ROLES: readonly Role[] = ["owner", "moderator", "member", "read-only"];

export function PersonActions(props: PersonActionsProps) {
  const { member, myRole, isDirect, isBlocked, onAct, onDirect, onBlock } = props;
  const { user, role } = member;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        className="bare"
        aria-expanded={isOpen}
        aria-label={texts.room.actionsOf(user.name)}
        onClick={() => setOpen(!isOpen)}
      >
        <span aria-hidden="true">⋯</span>
      </button>
      {isOpen && (
        <div className="item-actions" role="group" aria-label={texts.room.actionsOf(user.name)}>
          {!isDirect && <button onClick={() => onAct(onDirect)}>{texts.room.message}</button>}
          <button onClick={() => onAct(() => onBlock(!isBlocked))}>
            {isBlocked ? texts.room.unblock : texts.room.block}
          </button>
          {mayModerate(myRole, role) && <Moderation {...props} />}
        </div>
      )}
    </>
  );
}

function Moderation({ member, myRole, calls, onAct }: PersonActionsProps) {
  const { user, role, mutedUntilMs } = member;
  return (
    <>
      {isMuted(mutedUntilMs) ? (
        <button onClick={() => onAct(() => calls.unmute(user.id))}>{texts.room.unmute}</button>
      ) : (
        <button onClick={() => onAct(() => calls.mute(user.id, MUTE_MS))}>{texts.room.mute}</button>
      )}
      <Confirmed label={texts.room.remove} onConfirm={() => onAct(() => calls.remove(user.id))} />
      <Confirmed label={texts.room.ban} onConfirm={() => onAct(() => calls.ban(user.id))} />
      {myRole === "owner" && (
        <select
          aria-label={texts.room.role(user.name)}
          value={role}
          onChange={({ target }) => onAct(() => calls.setRole(user.id, target.value as Role))}
        >
          {ROLES.map((other) => (
            <option key={other} value={other}>
              {texts.roles[other]}
            </option>
          ))}
        </select>
      )}
    </>
  );
}

/** Owners moderate everybody, moderators those below them. */
function mayModerate(mine: Role | undefined, theirs: Role): boolean {
  return mine === "owner" || (mine === "moderator" && ROLES.indexOf(theirs) > ROLES.indexOf(mine));
}
