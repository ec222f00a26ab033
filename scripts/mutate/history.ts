/** What a reader is shown at once: pages of rooms, pages of history, and how the SDK takes them. */
import type { Mutation } from "./mutations.ts";

const RULES = "functions/test/rules.test.ts";

export const HISTORY_MUTATIONS: readonly Mutation[] = [
  {
    name: "resume-links",
    mechanism: "N4 a resume whose events do not link is a reset",
    file: "functions/core/pages.ts",
    edits: [["if (event.prev !== cursor) return false;", ""]],
    noticedBy: [RULES, "\\[N4\\]"],
  },
  {
    name: "page-bound",
    mechanism: "N5 a page ends where the stream did when it was read",
    file: "functions/core/pages.ts",
    edits: [
      [
        "this.#store.eventsBefore(room, next(tail.head), PAGE_EVENTS + 1)",
        "this.#store.eventsBefore(room, undefined, PAGE_EVENTS + 1)",
      ],
    ],
    noticedBy: [RULES, "\\[N5\\] a page ends"],
  },
  {
    name: "stream-first",
    mechanism: "N5 the stream is read before the store",
    file: "functions/core/pages.ts",
    edits: [
      [
        "const { fence, tail } = await this.#newestTail(room);",
        "const early = await this.#store.eventsBefore(room, undefined, PAGE_EVENTS + 1);\n    const { fence, tail } = await this.#newestTail(room);",
      ],
      ["await this.#store.eventsBefore(room, next(tail.head), PAGE_EVENTS + 1)", "early"],
    ],
    noticedBy: [RULES, "\\[N5\\] what is stored and trimmed just before"],
  },
  {
    name: "second-reset",
    mechanism: "N8 a page of the quarantine is followed by a settled one",
    file: "functions/core/hub.ts",
    edits: [["if (await this.#deps.settlement.check(fence.position)) await room.settle();", ""]],
    noticedBy: [RULES, "\\[N8\\]"],
  },
  {
    name: "page-back-whole",
    mechanism: "N5 a page back has what waits in the stream to be stored",
    file: "functions/core/history.ts",
    edits: [["if (isStreamAway()) return undefined;", "if (isStreamAway() || room) return [];"]],
    noticedBy: ["functions/test/history.test.ts", "waits in the stream to be stored"],
  },
  {
    name: "page-back-source",
    mechanism: "N5 a page back that the store answered alone says so",
    file: "functions/core/history.ts",
    edits: [['return { ...stored, source: "store" };', "return stored;"]],
    noticedBy: ["functions/test/history.test.ts", "only the store could answer says so"],
  },
  {
    name: "page-back-doubt",
    mechanism: "K1 a page of the store alone leaves what it shows in doubt",
    file: "web/sdk/src/view.ts",
    edits: [['if (page.source === "store")', "if (page.source === undefined && view === undefined)"]],
    noticedBy: ["web/sdk/test/room.test.ts", "equals the truth"],
  },
  {
    name: "page-back-confirmed",
    mechanism: "K1 what only the store could confirm is asked for again",
    file: "web/sdk/src/history.ts",
    edits: [['if (page.source === "store") return false;', 'if (page.source === "store") return true;']],
    noticedBy: ["web/sdk/test/history.test.ts", "not confirmed by the store alone"],
  },
  {
    name: "doubt-after-refusal",
    mechanism: "G4 what is in doubt is asked for again after a refusal that another node may take back",
    file: "web/sdk/src/history.ts",
    edits: [
      ["this.#onFailed(error.retryAfterMs);", "if (error.retriable) this.#onFailed(error.retryAfterMs);"],
    ],
    noticedBy: ["web/sdk/test/history.test.ts", "after a refusal while the room is open"],
  },
  {
    name: "left-while-joining",
    mechanism: "G4 who is told to leave a room while it joins it goes by the answer to the join",
    file: "web/sdk/src/room-session.ts",
    edits: [["if (this.#room.isJoining) return;", ""]],
    noticedBy: ["web/sdk/test/client.test.ts", "goes by the answer to the join"],
  },
  {
    name: "page-back-order",
    mechanism: "N5 a page back reads the stream before the store",
    file: "functions/core/history.ts",
    edits: [
      ["const entries = await this.#inStream(room, range.before, limit);", ""],
      [
        "const stored = await store.eventsBefore(room, range.before, limit);",
        "const stored = await store.eventsBefore(room, range.before, limit);\n    const entries = await this.#inStream(room, range.before, limit);",
      ],
    ],
    noticedBy: ["functions/test/history.test.ts", "trimmed while a page is read"],
  },
  {
    name: "page-back-once",
    mechanism: "G2 a page back leaves out the first place of what is stored at another",
    file: "functions/core/history.ts",
    edits: [["return entries.filter(({ position }) => !moved.has(position));", "return entries;"]],
    noticedBy: ["functions/test/history.test.ts", "not shown beside the one"],
  },
  {
    name: "settled-before",
    mechanism: "N8 a page counts as settled by what the store said before it was read",
    file: "functions/core/room.ts",
    edits: [
      [
        "!(page.whole && isSettled && page.fence.position === fence)",
        "!(page.whole && (isSettled || (await settlement.check(fence))) && page.fence.position === fence)",
      ],
    ],
    noticedBy: ["functions/test/rules.test.ts", "before it was read"],
  },
];
