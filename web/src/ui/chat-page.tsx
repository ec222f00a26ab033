/** The chat: rooms beside the current room's messages and the composer. */
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { LOBBY, type ListedRoom } from "@skat/client";
import { createKeptMap } from "../kept-map.ts";
import { perFrame } from "../per-frame.ts";
import { openDirect } from "../room-calls.ts";
import type { Session, Sessions } from "../session.ts";
import { texts } from "../texts.ts";
import { AccountDialog } from "./account-dialog.tsx";
import { Announcer } from "./announcer.tsx";
import { Dialog } from "./dialog.tsx";
import { FindRoomsDialog } from "./find-rooms-dialog.tsx";
import { Logo } from "./icons.tsx";
import { KeepNameDialog } from "./keep-name-dialog.tsx";
import { Me } from "./me.tsx";
import { NewRoomDialog } from "./new-room-dialog.tsx";
import { RoomDialog } from "./room-dialog.tsx";
import { RoomList } from "./room-list.tsx";
import { RoomPane } from "./room-pane.tsx";
import { TopBar } from "./top-bar.tsx";
import { useDirectNames } from "./use-direct-names.ts";
import { useInvitation } from "./use-invitation.ts";
import { useNotifications } from "./use-notifications.ts";
import { useRoomAddress } from "./use-room-address.ts";
import { useRooms } from "./use-rooms.ts";
import { useUnread } from "./use-unread.ts";

export interface ChatPageProps {
  readonly session: Session;
  readonly sessions: Sessions;
  readonly onMember: (session: Session) => void;
  readonly onSignOut: () => void;
}

type Open = "rooms" | "new" | "find" | "room" | "keep" | "account";

export function ChatPage({ session, sessions, onMember, onSignOut }: ChatPageProps) {
  const { chat } = session;
  const snapshot = useSyncExternalStore(
    (listener) => chat.on("change", perFrame(listener)),
    () => chat.getSnapshot(),
  );
  const { connection, user, limits } = snapshot;
  const isOnline = connection.phase === "online";
  const [{ room: current, invitation }, setCurrent] = useRoomAddress();
  const rooms = useRooms(session, isOnline);
  const { own, others, fault, reload, put } = rooms;
  const directNames = useDirectNames(session, own, user.id);
  const { counts, total, newFrom } = useUnread(chat, snapshot, rooms, current);
  const drafts = useMemo(() => createKeptMap(`skat.drafts.${user.id}`), [user.id]);
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);

  const nameOf = (room: ListedRoom) =>
    room.kind === "direct" ? (directNames.get(room.id) ?? room.name) : room.name;
  const notifications = useNotifications({
    chat,
    myId: user.id,
    rooms: own,
    nameOf,
    current,
    unread: counts,
  });
  const room = [...own, ...others].find(({ id }) => id === current);
  const roomName = room === undefined ? texts.rooms.unnamed : nameOf(room);

  useEffect(() => {
    chat.join(current);
    // Unread messages are known of rooms that are joined.
    for (const { id } of own.slice(0, limits.roomsPerSessionMax - 1)) chat.join(id);
  }, [chat, current, own.map(({ id }) => id).join()]);
  useEffect(() => {
    document.title = `${total > 0 ? `(${total}) ` : ""}${roomName} · ${texts.product}`;
  }, [roomName, total]);

  const goTo = (id: string) => {
    close();
    setCurrent(id);
  };
  const enter = (entered: ListedRoom) => {
    // A room that refused this user before is asked afresh.
    if (chat.getSnapshot().rooms.get(entered.id)?.error !== undefined) chat.leave(entered.id);
    chat.join(entered.id);
    put(entered);
    goTo(entered.id);
  };
  const invitationFault = useInvitation(chat, invitation, isOnline, enter);
  const side = (
    <>
      <RoomList
        rooms={own}
        nameOf={nameOf}
        fault={fault}
        current={current}
        unread={counts}
        hasDraft={(id) => drafts.get(id) !== undefined}
        onReload={reload}
        onOpen={goTo}
        onCreate={() => setOpen("new")}
        onFind={() => setOpen("find")}
      />
      <Me
        name={user.name}
        isGuest={session.guestToken() !== undefined}
        notifications={notifications}
        onAccount={() => setOpen("account")}
        onKeep={() => setOpen("keep")}
        onSignOut={onSignOut}
      />
    </>
  );

  return (
    <div className="page">
      <nav className="shortcuts" aria-label={texts.skipToComposer}>
        <a
          className="skip"
          href="#composer"
          onClick={(event) => {
            // The address is the room's.
            event.preventDefault();
            document.getElementById("composer")?.focus();
          }}
        >
          {texts.skipToComposer}
        </a>
      </nav>
      <aside className="side" aria-label={texts.product}>
        <p className="brand">
          <Logo /> {texts.product}
        </p>
        {side}
      </aside>
      <main className="main">
        <TopBar
          name={roomName}
          topic={room?.topic ?? ""}
          hasUnread={total > 0}
          connection={connection}
          onMenu={() => setOpen("rooms")}
          onAbout={room?.role === undefined ? undefined : () => setOpen("room")}
        />
        <RoomPane
          key={current}
          chat={chat}
          snapshot={snapshot}
          id={current}
          name={roomName}
          listed={room}
          newFrom={newFrom}
          fault={invitationFault}
          drafts={drafts}
          onLobby={() => goTo(LOBBY)}
          onSignOut={onSignOut}
        />
        <Announcer chat={chat} room={current} myId={user.id} />
      </main>
      {open === "rooms" && (
        <Dialog title={texts.rooms.title} place="start" isTitleHidden onClose={close}>
          {side}
        </Dialog>
      )}
      {open === "new" && <NewRoomDialog chat={chat} onRoom={enter} onClose={close} />}
      {open === "find" && <FindRoomsDialog rooms={others} onJoin={goTo} onClose={close} />}
      {open === "keep" && (
        <KeepNameDialog session={session} sessions={sessions} onMember={onMember} onClose={close} />
      )}
      {open === "account" && (
        <AccountDialog session={session} sessions={sessions} onDeleted={onSignOut} onClose={close} />
      )}
      {open === "room" && room !== undefined && (
        <RoomDialog
          chat={chat}
          room={room}
          name={roomName}
          me={user}
          onRoom={put}
          onLeft={() => (reload(), goTo(LOBBY))}
          onDirect={async (id) => enter(await openDirect(chat, id))}
          onClose={close}
        />
      )}
    </div>
  );
}
