/** One message: who, when, what, and for own ones how far it came. */
import { errorText, texts } from "../texts.ts";
import { Avatar } from "./avatar.tsx";
import { MessageBody } from "./message-body.tsx";
import { TickIcon } from "./icons.tsx";
import type { Row } from "./rows.ts";
import { dayText, timeText } from "./times.ts";

export interface MessageRowProps {
  readonly row: Row;
  readonly onRetry: (id: string) => void;
  readonly onDiscard: (id: string) => void;
}

export function MessageRow({ row, onRetry, onDiscard }: MessageRowProps) {
  const { id, userId, name, body, at, isOwn, delivery, error, isHead, isDayStart } = row;
  return (
    <>
      {isDayStart && <p className="day">{dayText(at, Date.now())}</p>}
      <article className={`message ${isOwn ? "own" : "other"} ${isHead ? "head" : ""}`} data-message={id}>
        {!isOwn && isHead && <Avatar userId={userId} name={name} />}
        <div className="message-main">
          <p className={isHead && !isOwn ? "author" : "visually-hidden"}>
            {isOwn ? texts.messages.you : name}
          </p>
          <div className={`bubble ${delivery === "failed" ? "is-failed" : ""}`}>
            <MessageBody body={body} />
            <span className="meta">
              <time dateTime={new Date(at).toISOString()}>{timeText(at)}</time>
              {delivery !== undefined && delivery !== "failed" && <Delivery state={delivery} />}
            </span>
          </div>
          {delivery === "failed" && (
            <p className="failure">
              <span className="error">{texts.delivery.failed(errorText(error ?? { code: "" }))}</span>
              <button className="link" onClick={() => onRetry(id)}>
                {texts.delivery.retry}
              </button>
              <button className="link" onClick={() => onDiscard(id)}>
                {texts.delivery.discard}
              </button>
            </p>
          )}
        </div>
      </article>
    </>
  );
}

const TICKS = { waiting: 0, sent: 1, saved: 2 } as const;

function Delivery({ state }: { state: "waiting" | "sent" | "saved" }) {
  return (
    <span className={`delivery is-${state}`} data-delivery={state} title={texts.delivery[state]}>
      <TickIcon count={TICKS[state]} />
      <span className="visually-hidden">{texts.delivery[state]}</span>
    </span>
  );
}
