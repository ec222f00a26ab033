/** What keeps a long room light and in its place, each with a patch that takes it out. */
import type { Mutation } from "./mutations.ts";

const MESSAGES = "web/sdk/test/messages.test.ts";
const KEYBOARD = "web/test/keyboard.test.ts";
const ROWS = "web/test/rows.test.ts";

export const PAGE_MUTATIONS: readonly Mutation[] = [
  {
    name: "list-goes-on",
    mechanism: "a list goes on from the one before, whose messages are not looked into",
    file: "web/sdk/src/messages.ts",
    edits: [["  while (end < settled && events[end] === old[end - added]) end += 1;\n", ""]],
    noticedBy: [MESSAGES, "of a long list only"],
  },
  {
    name: "list-in-doubt",
    mechanism: "K1 an own message that came after its `since` is looked at again until it is saved",
    file: "web/sdk/src/messages.ts",
    edits: [
      ["return since === undefined ? events.length : countBefore(events, since);", "return events.length;"],
    ],
    noticedBy: [MESSAGES, "goes on from the one before"],
  },
  {
    name: "rows-known",
    mechanism: "rows learn only of messages that are new",
    file: "web/src/ui/rows.ts",
    edits: [["if (message !== old[index - added])", "if (index >= 0)"]],
    noticedBy: [ROWS, "cost what is drawn"],
  },
  {
    name: "view-cut",
    mechanism: "what comes live does not pile up",
    file: "web/sdk/src/room.ts",
    edits: [["applied.view.events.length > 2 * this.#kept", "applied.view.events.length < 0"]],
    noticedBy: ["web/sdk/test/room.test.ts", "does not grow with what comes live"],
  },
  {
    name: "view-loaded-stays",
    mechanism: "what the reader has loaded is not cut away",
    file: "web/sdk/src/room.ts",
    edits: [["    this.#kept = Math.max(this.#kept, this.#view.events.length);\n", ""]],
    noticedBy: ["web/sdk/test/room.test.ts", "does not grow with what comes live"],
  },
  {
    name: "burst-together",
    mechanism: "a burst is drawn once a frame",
    file: "web/src/per-frame.ts",
    edits: [["if (isHeld) return;", ""]],
    noticedBy: ["web/test/per-frame.test.ts", "a burst of five hundred"],
  },
  {
    name: "list-keeps-place",
    mechanism: "what is in view stays where it is while older messages come above it",
    file: "web/src/ui/message-list.tsx",
    edits: [["return hasGrown || isTrimmed;", "return isTrimmed;"]],
    noticedBy: ["web/test/long-history.test.ts", "does not move what is in view"],
  },
  {
    name: "focus-kept",
    mechanism: "a dialog takes the focus of what goes away in it",
    file: "web/src/ui/dialog.tsx",
    edits: [["if (document.activeElement === document.body) element?.focus();", ""]],
    noticedBy: [KEYBOARD, "the page by keyboard"],
  },
  {
    name: "focus-after-answer",
    mechanism: "who is asked whether they are sure gets the focus back",
    file: "web/src/ui/confirmed.tsx",
    edits: [['autoFocus={phase === "answered"}', ""]],
    noticedBy: [KEYBOARD, "the page by keyboard"],
  },
];
