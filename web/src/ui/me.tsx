/** Who one is, and the ways out: to keep the name as an account, or to sign out. */
import { texts } from "../texts.ts";

export interface MeProps {
  readonly name: string;
  readonly isGuest: boolean;
  readonly onKeep: () => void;
  readonly onSignOut: () => void;
}

export function Me({ name, isGuest, onKeep, onSignOut }: MeProps) {
  return (
    <footer className="me">
      <p className="me-name">
        <span className="visually-hidden">{texts.signedInAs} </span>
        <bdi>{name}</bdi>
        {isGuest && <span className="tag">{texts.guest}</span>}
      </p>
      {isGuest && (
        <button className="link" onClick={onKeep}>
          {texts.keepName}
        </button>
      )}
      <button className="link" onClick={onSignOut}>
        {texts.signOut}
      </button>
    </footer>
  );
}
