/** Who one is, whether one is notified, and the ways out: to the account, to keep the name as one, or to sign out. */
import { texts } from "../texts.ts";
import { BellIcon } from "./icons.tsx";
import type { Notifications } from "./use-notifications.ts";

export interface MeProps {
  readonly name: string;
  readonly isGuest: boolean;
  readonly notifications: Notifications;
  readonly onAccount: () => void;
  readonly onKeep: () => void;
  readonly onSignOut: () => void;
}

export function Me({ name, isGuest, notifications, onAccount, onKeep, onSignOut }: MeProps) {
  return (
    <footer className="me">
      <p className="me-name">
        <span className="visually-hidden">{texts.signedInAs} </span>
        <bdi>{name}</bdi>
        {isGuest && <span className="tag">{texts.guest}</span>}
      </p>
      <NotificationSwitch {...notifications} />
      {isGuest && (
        <button className="link me-keep" onClick={onKeep}>
          {texts.keepName}
        </button>
      )}
      <button className="link" onClick={onAccount}>
        {texts.account.title}
      </button>
      <button className="link" onClick={onSignOut}>
        {texts.signOut}
      </button>
    </footer>
  );
}

/** Where the browser asks for its permission, it does so at this press alone. */
function NotificationSwitch({ state, onTurn }: Notifications) {
  if (state === "unsupported") return null;
  if (state === "blocked") return <span className="hint">{texts.notifications.blocked}</span>;
  const isOn = state === "on";
  const text = isOn ? texts.notifications.turnOff : texts.notifications.turnOn;
  return (
    <button className="bare" aria-label={text} title={text} onClick={() => onTurn(!isOn)}>
      <BellIcon isOn={isOn} />
    </button>
  );
}
