/** One message: who, when, what, what it answers, and for own ones how far it came. */
import { memo } from "react";
import type { Message } from "@skat/client";
import { plainText } from "../markdown.ts";
import { errorText, texts } from "../texts.ts";
import { Avatar } from "./avatar.tsx";
import { MessageBody } from "./message-body.tsx";
import { ReplyIcon, TickIcon } from "./icons.tsx";
import type { Row } from "./rows.ts";
import { dayText, timeText } from "./times.ts";

export interface MessageRowProps extends Row {
  readonly onReply: (message: Message) => void;
  readonly onRetry: (id: string) => void;
  readonly onDiscard: (id: string) => void;
}

/** Drawn again only where something about it changes: the rows of a list are often asked. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, isOwn, isHead, isDayStart, isNewStart, answered, onReply, onRetry, onDiscard } = props;
  const { id, user, body, at, replyTo, delivery, error } = message;
  const { name } = user;
  return (
    <>
      {isDayStart && <p className="day">{dayText(at, Date.now())}</p>}
      {isNewStart && <p className="new-line">{texts.messages.newLine}</p>}
      <article className={`message ${isOwn ? "own" : "other"} ${isHead ? "head" : ""}`} data-message={id}>
        {!isOwn && isHead && <Avatar userId={user.id} name={name} />}
        <div className="message-main">
          <p className={isHead && !isOwn ? "author" : "visually-hidden"}>
            <bdi>{isOwn ? texts.messages.you : name}</bdi>
          </p>
          <div className={`bubble ${delivery === "failed" ? "is-failed" : ""}`}>
            {replyTo !== undefined && <Quotation answered={answered} />}
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
        {delivery !== "failed" && (
          <button
            className="reply bare"
            aria-label={texts.messages.replyTo(name)}
            onClick={() => onReply(message)}
          >
            <ReplyIcon />
          </button>
        )}
      </article>
    </>
  );
});

function Quotation({ answered }: { answered: Message | undefined }) {
  return (
    <p className="quotation">
      {answered && (
        <span className="quotation-name">
          <span className="visually-hidden">{texts.messages.replied}</span>
          <bdi>{answered.user.name}</bdi>
        </span>
      )}
      <bdi className="quotation-text">{answered ? plainText(answered.body) : texts.messages.earlier}</bdi>
    </p>
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
