/** The ways in: as a guest by name alone, or with an account. */
import { useState } from "react";
import type { Session, Sessions } from "../session.ts";
import { texts } from "../texts.ts";
import { EntryForm } from "./entry-form.tsx";
import { Logo } from "./icons.tsx";
import { ResetForm } from "./reset-form.tsx";

export interface SignInProps {
  readonly sessions: Sessions;
  readonly onSession: (session: Session) => void;
}

export type Way = "guest" | "signIn" | "signUp" | "reset" | "setPassword";

const WAYS = { guest: "toGuest", signIn: "toSignIn", signUp: "toSignUp", reset: "toReset" } as const;

export function SignIn({ sessions, onSession }: SignInProps) {
  const [way, setWay] = useState<Way>(location.hash === "#/reset" ? "setPassword" : "guest");
  const [notice, setNotice] = useState("");
  const go = (next: Way, said = "") => {
    setWay(next);
    setNotice(said);
  };
  const others = (Object.keys(WAYS) as (keyof typeof WAYS)[]).filter(
    (other) => other !== way && (other !== "reset" || way === "signIn"),
  );
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <h1 className="brand">
          <Logo /> {texts.product}
        </h1>
        <p className="muted">{texts.signIn.lead}</p>
        <p role="status" className="said">
          {notice}
        </p>
        {way === "reset" || way === "setPassword" ? (
          <ResetForm key={way} accounts={sessions.accounts} isSetting={way === "setPassword"} onDone={go} />
        ) : (
          <EntryForm key={way} way={way} sessions={sessions} onSession={onSession} onWay={go} />
        )}
        <nav className="ways" aria-label={texts.signIn.waysIn}>
          {others.map((other) => (
            <button key={other} className="link" onClick={() => go(other)}>
              {texts.signIn[WAYS[other]]}
            </button>
          ))}
        </nav>
      </div>
    </main>
  );
}
