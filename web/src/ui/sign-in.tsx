/** Asks for a name and gets a guest's token for it. */
import { useState, type FormEvent } from "react";
import { DEFAULT_LIMITS, type Account, type Api } from "@skat/client";
import { errorText, texts } from "../texts.ts";
import { Logo } from "./icons.tsx";
import { toFault, type Fault } from "./fault.ts";

export function SignIn({ api, onAccount }: { api: Api; onAccount: (account: Account) => void }) {
  const [name, setName] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return setFault({ code: "", message: texts.signIn.nameNeeded });
    setBusy(true);
    setFault(undefined);
    try {
      onAccount(await api.guest(name.trim()));
    } catch (error) {
      setFault(toFault(error));
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={submit} noValidate>
        <h1 className="brand">
          <Logo /> {texts.product}
        </h1>
        <p className="muted">{texts.signIn.lead}</p>
        <label htmlFor="name">{texts.signIn.name}</label>
        <input
          id="name"
          value={name}
          onChange={({ target }) => setName(target.value)}
          maxLength={DEFAULT_LIMITS.nameLengthMax}
          autoComplete="nickname"
          autoFocus
          aria-describedby="name-hint name-error"
          aria-invalid={fault !== undefined}
        />
        <p id="name-hint" className="hint">
          {texts.signIn.hint}
        </p>
        <p id="name-error" className="error" role="alert">
          {fault && errorText(fault)}
        </p>
        <button className="primary" disabled={isBusy}>
          {isBusy ? texts.signIn.busy : texts.signIn.submit}
        </button>
      </form>
    </main>
  );
}
