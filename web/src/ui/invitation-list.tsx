/** A room's invitations: links that make members of those who follow them. */
import { useState } from "react";
import type { ListedRoom } from "@skat/client";
import type { Invitation, RoomCalls } from "../room-calls.ts";
import { texts } from "../texts.ts";
import { FaultLine } from "./fault-line.tsx";
import { dayText } from "./times.ts";
import { useForm } from "./use-form.ts";
import { useLoaded } from "./use-loaded.ts";
import { invitationUrl } from "./use-room-address.ts";

const WEEK_MS = 7 * 86_400_000;

export function InvitationList({ calls, room }: { calls: RoomCalls; room: ListedRoom }) {
  const { value, fault, reload } = useLoaded(`invitations ${room.id}`, calls.invitations);
  const form = useForm();
  const act = (action: () => Promise<unknown>) => void form.run(async () => void (await action(), reload()));
  return (
    <>
      <button className="primary" onClick={() => act(() => calls.invite(WEEK_MS))}>
        {texts.room.invite}
      </button>
      <p className="hint">{texts.room.inviteHint}</p>
      <FaultLine fault={form.fault ?? fault} />
      {value?.length === 0 && <p className="muted">{texts.room.noInvitations}</p>}
      <ul className="items">
        {value?.map((invitation) => (
          <li key={invitation.code} className="item is-tall">
            <p className="hint">{describe(invitation)}</p>
            <Link code={invitation.code} />
            <button className="danger" onClick={() => act(() => calls.revoke(invitation.code))}>
              {texts.room.revoke}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function describe({ by, expiresAtMs }: Invitation): string {
  if (expiresAtMs === undefined) return texts.room.invitationForever(by.name);
  return texts.room.invitationBy(by.name, dayText(expiresAtMs, Date.now()));
}

function Link({ code }: { code: string }) {
  const [isCopied, setCopied] = useState(false);
  const url = invitationUrl(code);
  return (
    <>
      <input readOnly value={url} aria-label={texts.room.link} onFocus={({ target }) => target.select()} />
      {/* Pages that are not secure have no clipboard; the link can be selected there. */}
      {"clipboard" in navigator && (
        <button onClick={() => void navigator.clipboard.writeText(url).then(() => setCopied(true))}>
          <span role="status">{isCopied ? texts.room.copied : texts.room.copy}</span>
        </button>
      )}
    </>
  );
}
