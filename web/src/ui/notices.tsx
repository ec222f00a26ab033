/** The connection's state and what the server can't do right now, in plain words. */
import type { ClientSnapshot } from "@skat/client";
import { cannotText, errorText, texts } from "../texts.ts";
import type { Fault } from "./fault.ts";

export function ConnectionMark({ connection: { phase } }: Pick<ClientSnapshot, "connection">) {
  const text = phase === "idle" ? texts.connection.stopped : texts.connection[phase];
  return (
    <span className={`connection is-${phase}`} data-connection={phase} role="status">
      <span className="dot" aria-hidden="true" />
      <span className="connection-text">{text}</span>
    </span>
  );
}

export interface NoticesProps {
  readonly snapshot: ClientSnapshot;
  readonly fault: Fault | undefined;
  readonly onTryNow: () => void;
  readonly onSignOut: () => void;
}

export function Notices({ snapshot: { connection, cannot }, fault, onTryNow, onSignOut }: NoticesProps) {
  return (
    <div className="notices" role="status">
      {(connection.phase === "waiting" || connection.phase === "connecting") && (
        <p className="notice is-late">
          {texts.connection.lost}
          <button className="link" onClick={onTryNow}>
            {texts.connection.tryNow}
          </button>
        </p>
      )}
      {connection.phase === "stopped" && (
        <p className="notice">
          {errorText(connection)}
          <button className="link" onClick={onSignOut}>
            {texts.connection.signInAgain}
          </button>
        </p>
      )}
      {fault !== undefined && <p className="notice">{errorText(fault)}</p>}
      {connection.phase === "online" &&
        [...cannot].map((ability) => (
          <p key={ability} className="notice" data-cannot={ability}>
            {cannotText(ability)}
          </p>
        ))}
    </div>
  );
}
