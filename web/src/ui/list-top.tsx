/** What stands above the oldest message: the beginning, loading, or why there is no more. Always of one height. */
import type { RoomSnapshot } from "@skat/client";
import { texts } from "../texts.ts";

export interface ListTopProps {
  readonly room: RoomSnapshot;
  readonly isEmpty: boolean;
  readonly onLoadOlder: () => void;
}

export function ListTop({ room: { view, history }, isEmpty, onLoadOlder }: ListTopProps) {
  if (view === undefined) return <p className="list-top">{texts.messages.loading}</p>;
  if (view.complete)
    return <p className="list-top">{isEmpty ? texts.messages.empty : texts.messages.beginning}</p>;
  if (history === "loading") return <p className="list-top">{texts.messages.loadingOlder}</p>;
  return (
    <p className="list-top">
      {history === "failed" && <span role="status">{texts.messages.olderFailed}</span>}
      <button className="link" onClick={onLoadOlder}>
        {history === "failed" ? texts.messages.tryAgain : texts.messages.loadOlder}
      </button>
    </p>
  );
}
