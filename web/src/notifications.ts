/**
 * The browser's notifications: whether this person wants them on this browser, and how one looks. They are shown by the service
 * worker, for a phone allows no other way; where there is none, or the page is not secure, there are no notifications.
 */

/** `unset`: the person was not asked yet, or has turned them off. */
export type NotificationState = "unsupported" | "unset" | "on" | "blocked";

export interface Notice {
  /** One at a time: a newer one takes its place without a sound. */
  readonly room: string;
  readonly title: string;
  readonly body: string;
}

const KEY = "skat.notifications";
const ON = "on";
const BODY_LENGTH_MAX = 200;

export function notificationState(): NotificationState {
  // Vite's own server has no service worker.
  if (import.meta.env.DEV || !("Notification" in window && "serviceWorker" in navigator))
    return "unsupported";
  if (Notification.permission === "denied") return "blocked";
  return Notification.permission === "granted" && localStorage.getItem(KEY) === ON ? "on" : "unset";
}

/** Asks the person, where the browser has not yet; so it is called at a click only. */
export async function turnNotifications(isOn: boolean): Promise<NotificationState> {
  if (!isOn) localStorage.removeItem(KEY);
  else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEY, ON);
  return notificationState();
}

export async function showNotice({ room, title, body }: Notice): Promise<void> {
  const worker = await navigator.serviceWorker.ready;
  const data = { address: `/#/${encodeURIComponent(room)}` };
  const shown = body.length > BODY_LENGTH_MAX ? `${body.slice(0, BODY_LENGTH_MAX)}…` : body;
  await worker.showNotification(isolate(title), {
    tag: room,
    body: isolate(shown),
    icon: "/icon-192.png",
    data,
  });
}

/** Takes away what was shown of a room that has been read. */
export async function closeNotices(room: string): Promise<void> {
  const worker = await navigator.serviceWorker.ready;
  for (const notice of await worker.getNotifications({ tag: room })) notice.close();
}

const DIRECTION_MARKS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Text of somebody else's, whose direction changes nothing around it. */
function isolate(text: string): string {
  return `\u2068${text.replace(DIRECTION_MARKS, "")}\u2069`;
}
