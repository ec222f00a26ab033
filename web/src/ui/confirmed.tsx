/** A button for what is not easily undone: it asks once more, in its place. */
import { useState } from "react";
import { texts } from "../texts.ts";

export function Confirmed({ label, onConfirm }: { label: string; onConfirm: () => void }) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking)
    return (
      <button className="danger" onClick={() => setAsking(true)}>
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
          setAsking(false);
          onConfirm();
        }}
      >
        {texts.room.yes}
      </button>
      <button onClick={() => setAsking(false)}>{texts.room.no}</button>
    </span>
  );
}
