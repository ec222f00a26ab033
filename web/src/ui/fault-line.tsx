/** What went wrong, in words, where it went wrong. It is there from the start, so that a screen reader hears it come. */
import { errorText } from "../texts.ts";
import type { Fault } from "./fault.ts";

export function FaultLine({ fault }: { fault: Fault | undefined }) {
  return (
    <p className="error" role="alert">
      {fault && errorText(fault)}
    </p>
  );
}
