/** A button for what is not easily undone: it asks once more, in its place. */
import { useState } from "react";
import { texts } from "../texts.ts";

export function Confirmed({ label, onConfirm }: { label: string; onConfirm: () => void }) {
  const [phase, setPhase] = useState<"unasked" | "asking" | "answered">("unasked");
  if (phase !== "asking")
    return (
      <button className="danger" autoFocus={phase === "answered"} onClick={() => setPhase("asking")}>
        {label}
      </button>
    );
  return (
    <span className="confirm" role="group" aria-label={texts.room.sure(label)}>
      <span>{texts.room.sure(label)}</span>
      <button
        className="danger"
        autoFocus
        onClick={() => {
          setPhase("answered");
          onConfirm();
        }}
      >
        {texts.room.yes}
      </button>
      <button onClick={() => setPhase("answered")}>{texts.room.no}</button>
    </span>
  );
}
