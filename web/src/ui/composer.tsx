/** Where a message is written: Enter sends, Shift + Enter starts a new line. */
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Message } from "@skat/client";
import { plainText } from "../markdown.ts";
import { texts } from "../texts.ts";
import { CloseIcon, SendIcon } from "./icons.tsx";

export interface ComposerProps {
  readonly roomName: string;
  readonly isReady: boolean;
  readonly bodyBytesMax: number;
  /** Why nothing can be written here, if so. */
  readonly silence: string | undefined;
  readonly initialText: string;
  /** The message that the next one answers. */
  readonly answered: Message | undefined;
  readonly onText: (text: string) => void;
  readonly onSend: (body: string) => void;
  readonly onCancelReply: () => void;
}

/** The count appears in the last fifth of the room there is. */
const COUNT_FROM = 0.8;
const utf8 = new TextEncoder();

export function Composer(props: ComposerProps) {
  const { roomName, isReady, silence, bodyBytesMax, initialText, answered, onText, onSend, onCancelReply } =
    props;
  const [text, setText] = useState(initialText);
  const field = useRef<HTMLTextAreaElement>(null);
  const body = text.trimEnd();
  const bytes = utf8.encode(body).length;
  const isTooLong = bytes > bodyBytesMax;
  const canSend = isReady && body.trim() !== "" && !isTooLong;
  useGrowing(field, text);

  const change = (next: string) => {
    setText(next);
    onText(next);
  };
  const send = () => {
    if (!canSend) return;
    onSend(body);
    change("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && answered !== undefined) onCancelReply();
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  if (silence !== undefined) return <p className="composer muted">{silence}</p>;
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {answered && <Answered message={answered} onCancel={onCancelReply} />}
      <div className="composer-box">
        <textarea
          ref={field}
          id="composer"
          rows={1}
          value={text}
          placeholder={isReady ? texts.composer.placeholder : texts.composer.waitForRoom}
          aria-label={texts.composer.label(roomName)}
          aria-describedby="composer-hint composer-count"
          aria-invalid={isTooLong}
          autoFocus={matchMedia("(pointer: fine)").matches}
          onChange={({ target }) => change(target.value)}
          onKeyDown={onKeyDown}
          dir="auto"
        />
        <button className="send" disabled={!canSend} aria-label={texts.composer.send}>
          <SendIcon />
        </button>
      </div>
      <div className="composer-foot">
        <span id="composer-hint" className="hint">
          {texts.composer.hint}
        </span>
        <span id="composer-count" className={isTooLong ? "error" : "hint"} role="status">
          {isTooLong && texts.composer.tooLong(bytes - bodyBytesMax)}
          {!isTooLong && bytes > bodyBytesMax * COUNT_FROM && texts.composer.bytesLeft(bodyBytesMax - bytes)}
        </span>
      </div>
    </form>
  );
}

function Answered({ message: { user, body }, onCancel }: { message: Message; onCancel: () => void }) {
  return (
    <div className="answered">
      <p className="answered-text">
        <span className="answered-name">
          <bdi>{texts.composer.replyingTo(user.name)}</bdi>
        </span>
        <bdi>{plainText(body)}</bdi>
      </p>
      <button type="button" className="bare" aria-label={texts.composer.cancelReply} onClick={onCancel}>
        <CloseIcon />
      </button>
    </div>
  );
}

/** The field is as high as its text; the style sheet sets the limit. */
function useGrowing(field: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [field, text]);
}
