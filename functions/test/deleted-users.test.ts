/** Names of deleted accounts are taken out of events, whatever is written in them, and nothing else is. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { deletedSubject, DeletedUsers } from "../core/deleted-users.ts";
import { decodeEvent, encodeEvent } from "../core/event.ts";
import { DELETED_NAME } from "../protocol.ts";
import { message, newId } from "./events.ts";

const gone = newId();
/** What could be taken for the sender. */
const feints = [
  `"user":{"id":"${gone}","name":"x"}`,
  `\\"user\\":{"id":"${gone}"`,
  JSON.stringify(JSON.stringify({ user: { id: gone, name: "x" } })),
];
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...feints));

test("an event is told as it is but for the name of a sender who is gone", () => {
  const deletedUsers = new DeletedUsers();
  deletedUsers.learn(deletedSubject(gone));
  deletedUsers.learn(`user:${newId()}`);
  fc.assert(
    fc.property(text, text, text, fc.boolean(), (room, name, body, isGone) => {
      const event = message(room, 3, { user: { id: isGone ? gone : newId(), name }, body });
      const user = isGone ? { id: gone, name: DELETED_NAME } : event.user;
      expect(decodeEvent(deletedUsers.told(encodeEvent(event)))).toEqual({ ...event, user });
      expect(deletedUsers.told(encodeEvent(event))).toBe(encodeEvent({ ...event, user }));
      expect(deletedUsers.toldEvent(event)).toEqual({ ...event, user });
    }),
  );
});
