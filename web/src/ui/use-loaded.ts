/** Something that is read from the server when it is shown, and again when asked to. */
import { useCallback, useEffect, useState } from "react";
import { toFault, type Fault } from "./fault.ts";

export interface Loaded<Value> {
  readonly value: Value | undefined;
  readonly fault: Fault | undefined;
  readonly reload: () => void;
}

/** `key` says what is read; another one reads anew. */
export function useLoaded<Value>(key: string, read: () => Promise<Value>): Loaded<Value> {
  const [value, setValue] = useState<Value>();
  const [fault, setFault] = useState<Fault>();
  const reload = useCallback(() => {
    read().then(
      (answer) => (setValue(answer), setFault(undefined)),
      (error: unknown) => setFault(toFault(error)),
    );
  }, [key]);
  useEffect(reload, [reload]);
  return { value, fault, reload };
}
