/** A forgotten password: asks for a letter, or takes the new password that its link leads to. */
import { useState } from "react";
import type { Accounts } from "../accounts.ts";
import { texts } from "../texts.ts";
import { FaultLine } from "./fault-line.tsx";
import type { Fault } from "./fault.ts";
import { Field } from "./field.tsx";
import type { Way } from "./sign-in.tsx";
import { useForm } from "./use-form.ts";

export interface ResetFormProps {
  readonly accounts: Accounts;
  readonly isSetting: boolean;
  readonly onDone: (way: Way, notice: string) => void;
}

export function ResetForm({ accounts, isSetting, onDone }: ResetFormProps) {
  const [text, setText] = useState("");
  const { isBusy, fault, onSubmit } = useForm();

  const submit = async (): Promise<Fault | undefined> => {
    const token = new URLSearchParams(location.search).get("token") ?? "";
    const outcome = await (isSetting ? accounts.reset(text, token) : accounts.requestReset(text.trim()));
    if ("fault" in outcome) return outcome.fault;
    // The token in the address was for this once.
    if (isSetting) history.replaceState(null, "", "/");
    return void onDone("signIn", isSetting ? texts.signIn.passwordSet : texts.signIn.resetSent);
  };

  return (
    <form onSubmit={onSubmit(submit)} noValidate>
      {isSetting ? (
        <Field
          label={texts.signIn.newPassword}
          hint={texts.signIn.passwordHint}
          type="password"
          value={text}
          onText={setText}
          autoComplete="new-password"
          autoFocus
        />
      ) : (
        <Field
          label={texts.signIn.email}
          type="email"
          value={text}
          onText={setText}
          autoComplete="email"
          autoFocus
        />
      )}
      <FaultLine fault={fault} />
      <button className="primary" disabled={isBusy}>
        {isSetting ? texts.signIn.setPassword : texts.signIn.reset}
      </button>
    </form>
  );
}
