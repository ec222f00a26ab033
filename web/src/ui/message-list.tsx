/** A room's messages: starts at the newest, follows them while the reader is there, and loads older ones on the way up without a jump. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Message, RoomSnapshot } from "@skat/client";
import { texts } from "../texts.ts";
import { DownIcon } from "./icons.tsx";
import { ListTop } from "./list-top.tsx";
import { MessageRow } from "./message-row.tsx";
import { RowBuilder, type Reader } from "./rows.ts";

export interface MessageListProps {
  readonly room: RoomSnapshot;
  readonly roomName: string;
  readonly me: Reader;
  /** Where the new messages begin. */
  readonly newFrom: string | undefined;
  readonly onReply: (message: Message) => void;
  readonly onLoadOlder: () => void;
  readonly onRetry: (id: string) => void;
  readonly onDiscard: (id: string) => void;
}

/** The height of `ListTop`, also in the style sheet. */
const TOP_PX = 56;
const LOAD_BEFORE_TOP_PX = 600;
const BOTTOM_SLACK_PX = 48;
/** Until a list that has grown above keeps its place again. */
const SETTLE_MS = 150;

export function MessageList(props: MessageListProps) {
  const { room, roomName, me, newFrom, onReply, onLoadOlder, onRetry, onDiscard } = props;
  const [builder] = useState(() => new RowBuilder());
  const { view } = room;
  const shown = room.messages; // the same list while a page is awaited
  const rows = useMemo(
    () => builder.build({ view, messages: shown }, me, newFrom),
    [builder, view, shown, me, newFrom],
  );
  const { messages } = rows;
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const shift = useShift(messages);
  const { isAtEnd, hasNewBelow, onScroll, onResize, toEnd } = useFollow(messages, view?.cursor, list);
  const mayLoad = room.history === "idle" && view?.complete === false;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (mayLoad && element !== null && element.scrollHeight <= element.clientHeight) onLoadOlder();
  });

  // Who stays at the very top scrolls no further, so nothing else would ask for more.
  useEffect(() => {
    if (!mayLoad || isAtEnd) return;
    const timer = setTimeout(() => {
      if ((scroller.current?.scrollTop ?? Infinity) < LOAD_BEFORE_TOP_PX) onLoadOlder();
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [mayLoad, isAtEnd, messages.length, onLoadOlder]);

  return (
    <div className="list-frame">
      <div
        className="list"
        ref={scroller}
        tabIndex={0}
        role="region"
        aria-label={texts.messages.label(roomName)}
      >
        <ListTop room={room} isEmpty={messages.length === 0} onLoadOlder={onLoadOlder} />
        <div className="list-space" />
        <Virtualizer
          ref={list}
          data={messages}
          scrollRef={scroller}
          startMargin={TOP_PX}
          shift={shift}
          onResize={onResize}
          onScroll={(offset) => {
            onScroll(offset);
            if (mayLoad && offset < LOAD_BEFORE_TOP_PX) onLoadOlder();
          }}
        >
          {(message, index) => (
            <MessageRow
              key={message.id}
              {...rows.at(message, index)}
              onReply={onReply}
              onRetry={onRetry}
              onDiscard={onDiscard}
            />
          )}
        </Virtualizer>
      </div>
      {!isAtEnd && (
        <button className="to-newest" onClick={toEnd}>
          <DownIcon /> {hasNewBelow ? texts.messages.newBelow : texts.messages.toNewest}
        </button>
      )}
    </div>
  );
}

/** Whether rows came or went at the start since the last drawing: then the list keeps its place from the end. */
function useShift(messages: readonly Message[]): boolean {
  const drawn = useRef<readonly Message[]>([]);
  const before = drawn.current;
  const [oldFirst, first] = [before[0]?.id, messages[0]?.id];
  const isOther = oldFirst !== undefined && first !== undefined && first !== oldFirst;
  const hasGrown = isOther && messages.some(({ id }) => id === oldFirst);
  const isTrimmed = isOther && !hasGrown && before.some(({ id }) => id === first);
  useLayoutEffect(() => void (drawn.current = messages));
  return hasGrown || isTrimmed;
}

/** Keeps the end in sight for a reader who is at the end, and for one who has just written. */
function useFollow(
  messages: readonly Message[],
  newest: string | undefined,
  list: React.RefObject<VirtualizerHandle | null>,
) {
  const follows = useRef(true);
  const lastOffset = useRef(0);
  const [isAtEnd, setAtEnd] = useState(true);
  const [seen, setSeen] = useState(newest);
  const lastWritten = useRef<string>(undefined);
  const last = messages.at(-1);

  const toEnd = () => {
    follows.current = true;
    if (messages.length > 0) list.current?.scrollToIndex(messages.length - 1, { align: "end" });
  };
  const onScroll = (offset: number) => {
    if (list.current === null) return;
    // As the list counts it: to ask the elements would lay them out once more.
    const { viewportSize, scrollSize } = list.current;
    const isEnd = offset + viewportSize >= TOP_PX + scrollSize - BOTTOM_SLACK_PX;
    if (isEnd) follows.current = true;
    else if (offset < lastOffset.current) follows.current = false;
    lastOffset.current = offset;
    setAtEnd(follows.current);
    if (follows.current) setSeen(newest);
  };

  useLayoutEffect(() => {
    const hasWritten = last?.delivery === "waiting" && last.id !== lastWritten.current;
    if (hasWritten) lastWritten.current = last.id;
    if (follows.current || hasWritten) toEnd();
    if (follows.current) setSeen(newest);
  }, [last?.id, messages.length, newest]);

  const onResize = () => {
    if (follows.current) toEnd();
  };

  return { isAtEnd, hasNewBelow: !isAtEnd && newest !== seen, onScroll, onResize, toEnd };
}
