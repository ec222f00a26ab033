/** One room: its messages and the composer, or why it can't be read. */
import { useCallback, useState } from "react";
import {
  LOBBY,
  type Client,
  type ClientSnapshot,
  type ListedRoom,
  type Message,
  type RoomSnapshot,
} from "@skat/client";
import type { KeptMap } from "../kept-map.ts";
import { errorText, leftText, texts } from "../texts.ts";
import { Composer } from "./composer.tsx";
import type { Fault } from "./fault.ts";
import { MessageList } from "./message-list.tsx";
import { Notices } from "./notices.tsx";

const NOT_YET: RoomSnapshot = {
  view: undefined,
  entries: new Map(),
  messages: [],
  history: "idle",
  read: "",
  error: undefined,
};

export interface RoomPaneProps {
  readonly chat: Client;
  readonly snapshot: ClientSnapshot;
  readonly id: string;
  readonly name: string;
  readonly listed: ListedRoom | undefined;
  readonly newFrom: string | undefined;
  /** Something beside the room that did not work. */
  readonly fault: Fault | undefined;
  /** What was begun and not sent, by room. */
  readonly drafts: KeptMap;
  readonly onLobby: () => void;
  readonly onSignOut: () => void;
}

export function RoomPane(props: RoomPaneProps) {
  const { chat, snapshot, id, name, listed, newFrom, fault, drafts, onLobby, onSignOut } = props;
  const room = snapshot.rooms.get(id) ?? NOT_YET;
  const { view, error } = room;
  const [answered, setAnswered] = useState<Message>();
  // The same ones each time, or every row would be drawn again.
  const answer = useCallback((message: Message) => {
    setAnswered(message);
    document.getElementById("composer")?.focus();
  }, []);
  const loadOlder = useCallback(() => chat.loadOlder(id), [chat, id]);
  const retry = useCallback((message: string) => chat.retry(message), [chat]);
  const discard = useCallback((message: string) => chat.cancel(message), [chat]);
  // Whoever may not read the room any more is not shown what it was either.
  if (error !== undefined && (view === undefined || error.code !== "too_many_rooms"))
    return (
      <div className="room-error" role="alert">
        <p>{error.code === "left" ? leftText(error.message) : errorText(error)}</p>
        {id !== LOBBY && <button onClick={onLobby}>{texts.rooms.toLobby}</button>}
      </div>
    );
  const send = (body: string) => {
    chat.send(id, body, answered === undefined ? {} : { replyTo: answered.id });
    setAnswered(undefined);
  };
  return (
    <>
      <div className="stage">
        <Notices
          snapshot={snapshot}
          fault={fault ?? error}
          onTryNow={() => chat.wake()}
          onSignOut={onSignOut}
        />
        <MessageList
          room={room}
          roomName={name}
          me={snapshot.user}
          newFrom={newFrom}
          onReply={answer}
          onLoadOlder={loadOlder}
          onRetry={retry}
          onDiscard={discard}
        />
      </div>
      <Composer
        roomName={name}
        isReady={view !== undefined && error === undefined}
        silence={silenceOf(listed)}
        bodyBytesMax={snapshot.limits.bodyBytesMax}
        initialText={drafts.get(id) ?? ""}
        answered={answered}
        onText={(text) => drafts.set(id, text.trim() === "" ? "" : text)}
        onSend={send}
        onCancelReply={() => setAnswered(undefined)}
      />
    </>
  );
}

/** Why there is nothing to be written. */
function silenceOf(listed: ListedRoom | undefined): string | undefined {
  if (listed?.archived === true) return texts.composer.archived;
  return listed?.role === "read-only" ? texts.composer.readOnly : undefined;
}
