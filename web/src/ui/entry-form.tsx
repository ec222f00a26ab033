/** A name for guests, e-mail and password for members, all three for new members. */
import { useState } from "react";
import { CLIENT_LIMITS } from "@skat/client";
import type { Session, Sessions } from "../session.ts";
import { texts } from "../texts.ts";
import { FaultLine } from "./fault-line.tsx";
import type { Fault } from "./fault.ts";
import { Field } from "./field.tsx";
import type { Way } from "./sign-in.tsx";
import { useForm } from "./use-form.ts";

export interface EntryFormProps {
  readonly way: "guest" | "signIn" | "signUp";
  readonly sessions: Sessions;
  /** Whose account a new one becomes. */
  readonly guest?: Session;
  readonly onSession: (session: Session) => void;
  readonly onWay: (way: Way, notice: string) => void;
}

const SUBMITS = { guest: "asGuest", signIn: "signIn", signUp: "signUp" } as const;

export function EntryForm({ way, sessions, guest, onSession, onWay }: EntryFormProps) {
  const [name, setName] = useState(guest?.chat.getSnapshot().user.name ?? "");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const { isBusy, fault, onSubmit } = useForm();

  const submit = async (): Promise<Fault | undefined> => {
    const title = name.trim();
    if (way !== "signIn" && title === "") return { code: "", message: texts.signIn.nameNeeded };
    if (way === "guest") return void onSession(await sessions.enterAsGuest(title));
    const credentials = { email: email.trim(), password };
    const outcome = await (way === "signIn"
      ? sessions.accounts.signIn(credentials)
      : sessions.accounts.signUp({ ...credentials, name: title }, guest?.guestToken()));
    if ("fault" in outcome) return outcome.fault;
    if (outcome.user === undefined) return void onWay("signIn", texts.signIn.confirmMail);
    return void onSession(sessions.enter(outcome.user));
  };

  return (
    <form onSubmit={onSubmit(submit)} noValidate>
      {way !== "signIn" && (
        <Field
          label={texts.signIn.name}
          hint={texts.signIn.hint}
          value={name}
          onText={setName}
          maxLength={CLIENT_LIMITS.nameLengthMax}
          autoComplete="nickname"
          autoFocus
        />
      )}
      {way !== "guest" && (
        <>
          <Field
            label={texts.signIn.email}
            type="email"
            value={email}
            onText={setEmail}
            autoComplete="email"
            autoFocus={way === "signIn"}
          />
          <Field
            label={texts.signIn.password}
            {...(way === "signUp" ? { hint: texts.signIn.passwordHint } : {})}
            type="password"
            value={password}
            onText={setPassword}
            autoComplete={way === "signUp" ? "new-password" : "current-password"}
          />
        </>
      )}
      <FaultLine fault={fault} />
      <button className="primary" disabled={isBusy}>
        {isBusy ? texts.signIn.busy : texts.signIn[SUBMITS[way]]}
      </button>
    </form>
  );
}
