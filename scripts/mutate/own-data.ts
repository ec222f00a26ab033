/** What keeps the name of somebody who has deleted the account from being told, and the account ended, each with a patch that breaks it. */
import type { Mutation } from "./mutations.ts";

const PRODUCT = "functions/test/own-data.test.ts";
const STORE = "functions/test/own-data-store.test.ts";
const ERASURE = "functions/adapters/erasure-prisma.ts";
const NO_NAME = "PGlite.*comes after the deletion";
const TOLD = "embedded.*no page, resume, history";

export const OWN_DATA_MUTATIONS: readonly Mutation[] = [
  {
    name: "tombstone-insert",
    mechanism: "what the log brings after a deletion is stored under no name",
    file: "functions/adapters/store-prisma.ts",
    edits: [
      ["user_id IN (SELECT subject FROM deleted)", "user_id IN (SELECT subject FROM deleted WHERE false)"],
    ],
    noticedBy: [STORE, NO_NAME],
  },
  {
    name: "erase-names",
    mechanism: "the name of a deleted account is taken out of what is stored",
    file: "functions/core/erasure.ts",
    edits: [["isMore = (await store.erasure.eraseNames(BATCH)) === BATCH;", "isMore = false;"]],
    noticedBy: [STORE, NO_NAME],
  },
  {
    name: "erase-again",
    mechanism: "what a node writes that does not know of a deletion yet is taken out",
    file: "functions/core/erasure.ts",
    edits: [["      await store.erasure.eraseAgain();\n", ""]],
    noticedBy: [STORE, "PGlite.*did not know yet"],
  },
  {
    name: "tombstone-told",
    mechanism: "no event from memory or stream is told under a deleted name",
    file: "functions/core/room.ts",
    edits: [
      ["events.map(({ json }) => this.#deps.deletedUsers.told(json))", "events.map(({ json }) => json)"],
    ],
    noticedBy: [PRODUCT, TOLD],
  },
  {
    name: "tombstone-live",
    mechanism: "no live event is told under a deleted name",
    file: "functions/core/room.ts",
    edits: [["new Frame(this.#deps.deletedUsers.told(event.json))", "new Frame(event.json)"]],
    noticedBy: ["functions/test/rules.test.ts", "deleted the account"],
  },
  {
    name: "tombstone-history",
    mechanism: "no history is told under a deleted name",
    file: "functions/core/history.ts",
    edits: [["this.#deps.deletedUsers.toldEvent(event)", "event"]],
    noticedBy: ["functions/test/history.test.ts", "deleted the account"],
  },
  {
    name: "deletion-sockets",
    mechanism: "G13 a deleted account's sockets end, of whatever kind its token is",
    file: ERASURE,
    edits: [
      [
        "const subjects = [deletedSubject(user), `user:${user}`];",
        "const subjects = [deletedSubject(user)];",
      ],
    ],
    noticedBy: [PRODUCT, "embedded.*guest ends by its token"],
  },
  {
    name: "deletion-proof",
    mechanism: "nobody deletes an account without the password",
    file: "functions/auth/accounts.ts",
    edits: [["password !== undefined && verify(hash, password)", "true"]],
    noticedBy: [PRODUCT, "embedded.*one more proof"],
  },
  {
    name: "deletion-owner",
    mechanism: "no room with people in it is left without an owner by a deletion",
    file: ERASURE,
    edits: [["WHERE NOT EXISTS (SELECT FROM ownerless) AND", "WHERE"]],
    noticedBy: [STORE, "PGlite.*only owner"],
  },
  {
    name: "export-paged",
    mechanism: "a download is read no faster than it is taken",
    file: "functions/http/lines.ts",
    edits: [
      [
        "    pull: async (controller) => {\n      const { done, value } = await iterator.next();",
        "    start: async (controller) => {\n      for (let n = 0; n < 100; n++) await iterator.next();\n      const { done, value } = await iterator.next();",
      ],
    ],
    noticedBy: [PRODUCT, "no faster than it is taken"],
  },
];
