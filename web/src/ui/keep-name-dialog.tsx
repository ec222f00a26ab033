/** A guest becomes a member, and keeps what it wrote. */
import { useState } from "react";
import type { Session, Sessions } from "../session.ts";
import { texts } from "../texts.ts";
import { Dialog } from "./dialog.tsx";
import { EntryForm } from "./entry-form.tsx";

export interface KeepNameDialogProps {
  readonly sessions: Sessions;
  readonly session: Session;
  readonly onMember: (session: Session) => void;
  readonly onClose: () => void;
}

export function KeepNameDialog({ sessions, session, onMember, onClose }: KeepNameDialogProps) {
  const [notice, setNotice] = useState("");
  const { name } = session.chat.getSnapshot().user;
  return (
    <Dialog title={texts.signIn.signUp} place="middle" onClose={onClose}>
      <p className="muted">{texts.signIn.keepGuest(name)}</p>
      <p role="status" className="said">
        {notice}
      </p>
      <EntryForm
        way="signUp"
        sessions={sessions}
        guest={session}
        onSession={onMember}
        onWay={(_, said) => setNotice(said)}
      />
    </Dialog>
  );
}
