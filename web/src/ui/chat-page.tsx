/** The chat: rooms beside the current room's messages and the composer. */
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { LOBBY, type Client } from "@skat/client";
import { texts } from "../texts.ts";
import { Announcer } from "./announcer.tsx";
import { Drawer } from "./drawer.tsx";
import { Logo, MenuIcon } from "./icons.tsx";
import { ConnectionMark } from "./notices.tsx";
import { RoomList } from "./room-list.tsx";
import { RoomPane } from "./room-pane.tsx";
import { useRoomAddress } from "./use-room-address.ts";
import { useRooms } from "./use-rooms.ts";
import { useUnread } from "./use-unread.ts";

export function ChatPage({ chat, onSignOut }: { chat: Client; onSignOut: () => void }) {
  const snapshot = useSyncExternalStore(
    (listener) => chat.on("change", listener),
    () => chat.getSnapshot(),
  );
  const { connection, user, limits } = snapshot;
  const [current, setCurrent] = useRoomAddress();
  const rooms = useRooms(chat, connection.phase === "online");
  const unread = useUnread(chat, current);
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const drafts = useRef(new Map<string, string>());
  const roomName = nameOf(current, rooms.rooms);

  useEffect(() => chat.join(current), [chat, current]);
  useEffect(() => {
    document.title = `${roomName} · ${texts.product}`;
  }, [roomName]);

  const openRoom = (id: string) => {
    setCurrent(id);
    setDrawerOpen(false);
  };
  const side = (
    <>
      <RoomList
        rooms={rooms.rooms}
        fault={rooms.fault}
        current={current}
        unread={unread}
        nameLengthMax={limits.nameLengthMax}
        onReload={rooms.reload}
        onOpen={openRoom}
        onCreate={async (name) => openRoom((await rooms.create(name)).id)}
      />
      <footer className="me">
        <p className="me-name">
          <span className="visually-hidden">{texts.signedInAs} </span>
          {user.name}
        </p>
        <button className="link" onClick={onSignOut}>
          {texts.signOut}
        </button>
      </footer>
    </>
  );

  return (
    <div className="page">
      <aside className="side">
        <p className="brand">
          <Logo /> {texts.product}
        </p>
        {side}
      </aside>
      <Drawer isOpen={isDrawerOpen} onClose={() => setDrawerOpen(false)}>
        {side}
      </Drawer>
      <main className="main">
        <header className="top">
          <button className="menu" aria-label={texts.rooms.open} onClick={() => setDrawerOpen(true)}>
            <MenuIcon />
            {unread.size > 0 && <span className="menu-dot" />}
          </button>
          <h1>{roomName}</h1>
          <ConnectionMark connection={connection} />
        </header>
        <RoomPane
          key={current}
          chat={chat}
          snapshot={snapshot}
          id={current}
          name={roomName}
          drafts={drafts.current}
          onLobby={() => openRoom(LOBBY)}
          onSignOut={onSignOut}
        />
        <Announcer chat={chat} room={current} myId={user.id} />
      </main>
    </div>
  );
}

function nameOf(id: string, rooms: readonly { id: string; name: string }[]): string {
  if (id === LOBBY) return texts.rooms.lobby;
  return rooms.find((room) => room.id === id)?.name ?? texts.rooms.unnamed;
}
