/**
 * Who has deleted the account: what they said stays, under a name that is nobody's.
 *
 * The store keeps their ids for ever, and every node learns them with what was called back. Stream and log hold an event as it was
 * sent until they forget it, so every event is told through here on its way out of a node.
 */
import { DELETED_NAME, type RoomEvent } from "../protocol.ts";

const PREFIX = "deleted:";
/** The sender, in the text of an event; text that was said has its quotes escaped, so it can't look like this. */
const SENDER = /"user":\{"id":"([^"\\]*)","name":"(?:[^"\\]|\\.)*"\}/;

export class DeletedUsers {
  readonly #ids = new Set<string>();

  /** Takes what was called back, and keeps what is of concern here. */
  learn(subject: string): void {
    if (subject.startsWith(PREFIX)) this.#ids.add(subject.slice(PREFIX.length));
  }

  /** The text of an event as it may be told. */
  told(json: string): string {
    if (this.#ids.size === 0) return json;
    return json.replace(SENDER, (sender, id: string) =>
      this.#ids.has(id) ? `"user":{"id":"${id}","name":${JSON.stringify(DELETED_NAME)}}` : sender,
    );
  }

  /** The same of one that was read. */
  toldEvent(event: RoomEvent): RoomEvent {
    const { id } = event.user;
    return this.#ids.has(id) ? { ...event, user: { id, name: DELETED_NAME } } : event;
  }
}

/** The name under which it is called back that a user's name may be told. */
export function deletedSubject(user: string): string {
  return PREFIX + user;
}
