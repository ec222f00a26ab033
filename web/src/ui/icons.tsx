/** The page's few icons. All are decoration: the text beside them says the same. */

export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path
        className="logo-shape"
        d="M4 8a5 5 0 0 1 5-5h14a5 5 0 0 1 5 5v10a5 5 0 0 1-5 5h-8l-7 6v-6.1A5 5 0 0 1 4 18z"
      />
      <path className="logo-ticks" d="m9.5 13.5 3 3 6-6.5m-3 5.5 1 1 6-6.5" />
    </svg>
  );
}

export function TickIcon({ count }: { count: 0 | 1 | 2 }) {
  return (
    <svg className="ticks" viewBox="0 0 20 12" aria-hidden="true">
      {count === 0 && <path d="M10 2.5v4l2.4 1.6M10 11A5 5 0 1 0 10 1a5 5 0 0 0 0 10" />}
      {count === 1 && <path d="m6 6.5 3 3 6-7" />}
      {count === 2 && <path d="m2 6.5 3 3 6-7M8.5 8.3l1.2 1.2 6-7" />}
    </svg>
  );
}

export function MenuIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M3 5h14M3 10h14M3 15h14" />
    </svg>
  );
}

export function CloseIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="m5 5 10 10M15 5 5 15" />
    </svg>
  );
}

export function SendIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M10 16.5v-13M4.5 9 10 3.5 15.5 9" />
    </svg>
  );
}

export function DownIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M10 4v12M5 11l5 5 5-5" />
    </svg>
  );
}

export function PlusIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M10 4v12M4 10h12" />
    </svg>
  );
}

export function SearchIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M13 13l4 4" />
    </svg>
  );
}

export function PeopleIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M8 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 16.5c.4-3 2.5-4.5 5.5-4.5s5.1 1.5 5.5 4.5M13 3.8a3 3 0 0 1 0 5.4M15 12.6c1.5.7 2.3 2 2.5 3.9" />
    </svg>
  );
}

/** Filled where it rings. */
export function BellIcon({ isOn }: { isOn: boolean }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path
        d="M10 3a4.7 4.7 0 0 1 4.7 4.7c0 3.6 1.3 5 1.8 5.8h-13c.5-.8 1.8-2.2 1.8-5.8A4.7 4.7 0 0 1 10 3"
        fill={isOn ? "currentColor" : "none"}
      />
      <path d="M8.3 16.2a1.9 1.9 0 0 0 3.4 0" />
    </svg>
  );
}

export function ReplyIcon() {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M8 5 3.5 9.5 8 14M4 9.5h7.5c3 0 5 2 5 5.5" />
    </svg>
  );
}

/** Says something that no text beside it does. */
export function LockIcon({ title }: { title: string }) {
  return (
    <svg className="icon is-small" viewBox="0 0 20 20" role="img" aria-label={title}>
      <path d="M5.5 9h9v7h-9zM7 9V6.5a3 3 0 0 1 6 0V9" />
    </svg>
  );
}
