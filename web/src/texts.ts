/** Every text of the page, in one place. */
import type { Ability } from "@skat/client";

export const texts = {
  product: "Skat",
  signIn: {
    lead: "A chat for your team.",
    name: "Your name",
    hint: "Others see it beside your messages.",
    submit: "Start chatting",
    busy: "One moment…",
    nameNeeded: "Please enter a name.",
  },
  signOut: "Sign out",
  signedInAs: "Signed in as",
  rooms: {
    title: "Rooms",
    lobby: "Lobby",
    open: "Show rooms",
    close: "Close",
    newName: "New room",
    create: "Create",
    unread: (count: number) => `${count} new`,
    unnamed: "Room",
    toLobby: "Go to the lobby",
    retry: "Load rooms again",
  },
  connection: {
    connecting: "Connecting…",
    online: "Connected",
    waiting: "Connecting…",
    stopped: "Disconnected",
    lost: "No connection. Trying again…",
    tryNow: "Try now",
    signInAgain: "Sign in again",
  },
  messages: {
    label: (room: string) => `Messages in ${room}`,
    loading: "Loading messages…",
    loadingOlder: "Loading earlier messages…",
    olderFailed: "Earlier messages can’t be loaded right now.",
    tryAgain: "Try again",
    loadOlder: "Load earlier messages",
    beginning: "This is where the conversation begins.",
    empty: "Nothing has been said here yet. Say hello.",
    toNewest: "Newest messages",
    newBelow: "New messages",
    you: "You",
    announce: (name: string, body: string) => `${name}: ${body}`,
  },
  delivery: {
    waiting: "Sending",
    sent: "Sent",
    saved: "Saved",
    failed: (reason: string) => `Not sent. ${reason}`,
    retry: "Try again",
    discard: "Discard",
  },
  composer: {
    label: (room: string) => `Message to ${room}`,
    placeholder: "Write a message",
    waitForRoom: "Waiting for the room…",
    send: "Send",
    hint: "Enter sends, Shift + Enter starts a new line.",
    bytesLeft: (bytes: number) => `${bytes} left`,
    tooLong: (bytes: number) => `${bytes} too many: please shorten the message.`,
  },
  today: "Today",
  yesterday: "Yesterday",
} as const;

const ERROR_TEXTS: Record<string, string> = {
  unreachable: "The server can’t be reached. Please check your connection.",
  body_too_long: "The message is too long.",
  request_too_large: "That is too much text at once.",
  id_from_future: "The clock of this device was off. Please try again.",
  id_taken: "The message could not be told apart from another one. Please try again.",
  not_authenticated: "You are not signed in.",
  invalid_token: "Your sign-in is no longer valid.",
  token_expired: "Your sign-in has run out.",
  not_member: "You are not a member of this room.",
  origin_refused: "This page’s address may not use this server.",
  unknown_room: "This room does not exist.",
  too_many_rooms: "You are in too many rooms at once. Reload the page to leave some.",
  rate_limited: "That was a lot at once. Please wait a moment.",
  unavailable: "The server can’t do that right now. Please try again in a moment.",
  backlog_full: "The server is catching up. Please try again in a moment.",
  room_full: "This room is very busy. Please try again in a moment.",
  draining: "The server is restarting.",
  internal: "Something went wrong on the server.",
  left: "You are no longer in this room.",
  unsupported_protocol: "This page is out of date. Please reload it.",
};

/** An error in plain words; for codes without words of their own, the server's message. */
export function errorText({ code, message }: { readonly code: string; readonly message?: string }): string {
  return ERROR_TEXTS[code] ?? (message ? message : "Something went wrong. Please try again.");
}

const CANNOT_TEXTS: Record<Ability, string> = {
  send: "New messages can’t be delivered right now. Yours are kept here and sent as soon as it works again.",
  save: "New messages are delivered but not yet saved. The second tick follows as soon as it works again.",
  history: "Earlier messages may be missing until the server’s archive is back.",
};

export function cannotText(ability: Ability): string {
  return CANNOT_TEXTS[ability];
}
