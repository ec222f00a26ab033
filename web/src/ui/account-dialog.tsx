/** One's own data: to take along, and to have deleted. */
import { useState } from "react";
import type { Session, Sessions } from "../session.ts";
import { texts } from "../texts.ts";
import { Confirmed } from "./confirmed.tsx";
import { Dialog } from "./dialog.tsx";
import { FaultLine } from "./fault-line.tsx";
import type { Fault } from "./fault.ts";
import { Field } from "./field.tsx";
import { useForm } from "./use-form.ts";

export interface AccountDialogProps {
  readonly session: Session;
  readonly sessions: Sessions;
  readonly onDeleted: () => void;
  readonly onClose: () => void;
}

export function AccountDialog({ session, sessions, onDeleted, onClose }: AccountDialogProps) {
  const [password, setPassword] = useState("");
  const { isBusy, fault, run, onSubmit } = useForm();
  const guestToken = session.guestToken();
  const download = async () => save(await sessions.accounts.ownData(guestToken));
  const remove = async (): Promise<Fault | undefined> => {
    const outcome = await sessions.deleteAccount(session, password);
    return "fault" in outcome ? outcome.fault : void onDeleted();
  };
  return (
    <Dialog title={texts.account.title} place="middle" onClose={onClose}>
      <p className="muted">{texts.account.downloadHint}</p>
      <p className="stack">
        <button disabled={isBusy} onClick={() => void run(download)}>
          {texts.account.download}
        </button>
      </p>
      <p className="muted">{texts.account.deleteHint}</p>
      {/* Enter in the field asks nothing and deletes nothing. */}
      <form onSubmit={onSubmit(async () => {})}>
        {guestToken === undefined && (
          <Field
            label={texts.signIn.password}
            hint={texts.account.passwordHint}
            type="password"
            value={password}
            onText={setPassword}
            autoComplete="current-password"
          />
        )}
      </form>
      <FaultLine fault={fault} />
      <p className="stack">
        <Confirmed label={texts.account.delete} onConfirm={() => void run(remove)} />
      </p>
    </Dialog>
  );
}

/** As if it were a link to a file. */
function save(data: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data);
  link.download = texts.account.fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}
