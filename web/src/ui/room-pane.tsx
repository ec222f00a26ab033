/** One room: its messages and the composer, or why it can't be read. */
import { LOBBY, type Client, type ClientSnapshot, type RoomSnapshot } from "@skat/client";
import { errorText, texts } from "../texts.ts";
import { Composer } from "./composer.tsx";
import { MessageList } from "./message-list.tsx";
import { Notices } from "./notices.tsx";

const NOT_YET: RoomSnapshot = {
  view: undefined,
  entries: new Map(),
  messages: [],
  history: "idle",
  error: undefined,
};

export interface RoomPaneProps {
  readonly chat: Client;
  readonly snapshot: ClientSnapshot;
  readonly id: string;
  readonly name: string;
  /** What was begun and not sent, by room. */
  readonly drafts: Map<string, string>;
  readonly onLobby: () => void;
  readonly onSignOut: () => void;
}

export function RoomPane({ chat, snapshot, id, name, drafts, onLobby, onSignOut }: RoomPaneProps) {
  const room = snapshot.rooms.get(id) ?? NOT_YET;
  const { view, error } = room;
  if (error !== undefined && view === undefined)
    return (
      <div className="room-error" role="alert">
        <p>{errorText(error)}</p>
        {id !== LOBBY && <button onClick={onLobby}>{texts.rooms.toLobby}</button>}
      </div>
    );
  return (
    <>
      <div className="stage">
        <Notices snapshot={snapshot} roomError={error} onTryNow={() => chat.wake()} onSignOut={onSignOut} />
        <MessageList
          room={room}
          roomName={name}
          me={snapshot.user}
          onLoadOlder={() => chat.loadOlder(id)}
          onRetry={(message) => chat.retry(message)}
          onDiscard={(message) => chat.cancel(message)}
        />
      </div>
      <Composer
        roomName={name}
        isReady={view !== undefined && error === undefined}
        bodyBytesMax={snapshot.limits.bodyBytesMax}
        initialText={drafts.get(id) ?? ""}
        onText={(text) => drafts.set(id, text)}
        onSend={(body) => chat.send(id, body)}
      />
    </>
  );
}
