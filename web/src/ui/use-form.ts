/** A form's way: while it is sent it is busy; a refusal is told, and what was typed stays. */
import { useState, type FormEvent } from "react";
import { toFault, type Fault } from "./fault.ts";

export interface FormState {
  readonly isBusy: boolean;
  readonly fault: Fault | undefined;
  /** Runs `action`; what it answers or throws as a refusal is told. */
  readonly run: (action: () => Promise<Fault | undefined | void>) => Promise<void>;
  readonly onSubmit: (action: () => Promise<Fault | undefined | void>) => (event: FormEvent) => void;
  readonly clear: () => void;
}

export function useForm(): FormState {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const run: FormState["run"] = async (action) => {
    setBusy(true);
    setFault(undefined);
    try {
      setFault((await action()) ?? undefined);
    } catch (error) {
      setFault(toFault(error));
    } finally {
      setBusy(false);
    }
  };
  return {
    isBusy,
    fault,
    run,
    onSubmit: (action) => (event) => {
      event.preventDefault();
      if (!isBusy) void run(action);
    },
    clear: () => setFault(undefined),
  };
}
