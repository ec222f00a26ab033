/** Above the messages: which room this is, what it is about, and how the connection is. */
import type { ConnectionState } from "@skat/client";
import { texts } from "../texts.ts";
import { MenuIcon, PeopleIcon } from "./icons.tsx";
import { ConnectionMark } from "./notices.tsx";

export interface TopBarProps {
  readonly name: string;
  readonly topic: string;
  readonly hasUnread: boolean;
  readonly connection: ConnectionState;
  readonly onMenu: () => void;
  /** None where there is nothing to tell. */
  readonly onAbout: (() => void) | undefined;
}

export function TopBar({ name, topic, hasUnread, connection, onMenu, onAbout }: TopBarProps) {
  return (
    <header className="top">
      <button className="menu bare" aria-label={texts.rooms.open} onClick={onMenu}>
        <MenuIcon />
        {hasUnread && <span className="menu-dot" />}
      </button>
      <div className="top-text">
        <h1>
          <bdi>{name}</bdi>
        </h1>
        {topic !== "" && (
          <p className="topic-line">
            <bdi>{topic}</bdi>
          </p>
        )}
      </div>
      <ConnectionMark connection={connection} />
      {onAbout && (
        <button className="bare" aria-label={texts.room.details(name)} onClick={onAbout}>
          <PeopleIcon />
        </button>
      )}
    </header>
  );
}
