/** What keeps read marks right, each with a patch that breaks it. */
import type { Mutation } from "./mutations.ts";

const MARKS = "functions/core/read-marks.ts";
const SESSION = "functions/core/session.ts";
const STORE = "functions/adapters/read-marks-prisma.ts";
const PRODUCT = "functions/test/read-marks.test.ts";
const ON_PGLITE = "functions/test/store-pglite.test.ts";

export const READ_MARK_MUTATIONS: readonly Mutation[] = [
  {
    name: "mark-rises",
    mechanism: "a read mark that is below the one in force changes nothing",
    file: MARKS,
    edits: [["    if (known !== undefined && known >= mark.position) return known;\n", ""]],
    noticedBy: [PRODUCT, "marks of one node a higher one of the store"],
  },
  {
    name: "mark-clamp",
    mechanism: "nobody has read what is not there yet",
    file: SESSION,
    edits: [["position: min(position, hub.room(room).pos)", "position: min(position, position)"]],
    noticedBy: [PRODUCT, "embedded.*only rise"],
  },
  {
    name: "mark-member",
    mechanism: "G13 only who has joined a room marks it as read",
    file: SESSION,
    edits: [
      [
        'if (!this.#may(room, "read"))\n      throw new ChatError("not_member", "Join the room before you mark',
        'if (room === "")\n      throw new ChatError("not_member", "Join the room before you mark',
      ],
    ],
    noticedBy: [PRODUCT, "embedded.*\\[G13\\]"],
  },
  {
    name: "mark-told",
    mechanism: "what one device has read the person's other devices are told",
    file: MARKS,
    edits: [["if (session !== by) session.send(frame);", "if (session === by) session.send(frame);"]],
    noticedBy: [PRODUCT, "embedded.*are the same"],
  },
  {
    name: "mark-told-afar",
    mechanism: "devices on other nodes are told too",
    file: MARKS,
    edits: [["deps.notices.onReadMarks((marks) => marks.forEach((mark) => this.#hear(mark)));", ""]],
    noticedBy: [PRODUCT, "over two nodes.*are the same"],
  },
  {
    name: "mark-drain",
    mechanism: "a node that is stopped writes the marks that wait",
    file: "functions/core/node.ts",
    edits: [["this.#marks.save().catch(", "Promise.resolve().catch("]],
    noticedBy: [PRODUCT, "embedded.*restart"],
  },
  {
    name: "mark-greatest",
    mechanism: "in the store the largest mark stays, whatever node writes last",
    file: STORE,
    edits: [["greatest(read_marks.position, excluded.position)", "excluded.position"]],
    noticedBy: [ON_PGLITE, "read marks only rise"],
  },
  {
    name: "mark-list",
    mechanism: "a list of rooms counts from what was read a moment ago",
    file: "functions/core/rooms.ts",
    edits: [["    await this.#deps.marks.save(user.id);\n", ""]],
    noticedBy: [PRODUCT, "embedded.*right after"],
  },
  {
    name: "mark-in-sight",
    mechanism: "the page marks as read only what is in sight",
    file: "web/src/ui/use-unread.ts",
    edits: [["if (isVisible && isOpened && cursor", "if (isOpened && cursor"]],
    noticedBy: ["web/test/rooms.test.ts", "a message is read only where"],
  },
];
