/** What must hold for clients of Socket.IO, each with a patch that breaks it. */
import type { Mutation } from "./mutations.ts";

const CLIENTS = "functions/test/socketio.test.ts";
const BAD_INPUT = "functions/test/socketio-bad-input.test.ts";
const PACKETS = "functions/test/socketio-packets.test.ts";
const SWITCH = "functions/test/socketio-switch.test.ts";

const TRANSLATION = "functions/socketio/translation.ts";
const ADMISSION = "functions/socketio/admission.ts";
const CONNECTION = "functions/socketio/connection.ts";

export const SOCKETIO_MUTATIONS: readonly Mutation[] = [
  {
    name: "io-missed",
    mechanism: "G5 a Socket.IO client is shown what came while it was away",
    file: TRANSLATION,
    edits: [["else for (const event of page.events) this.#show(event);", ""]],
    noticedBy: [CLIENTS, "the library's own recovery"],
  },
  {
    name: "io-one-room",
    mechanism: "G5 an offset speaks for one room: with two there is no recovery by it",
    file: TRANSLATION,
    edits: [["!provisional && this.#views.size === 1", "!provisional"]],
    noticedBy: [CLIENTS, "with two rooms"],
  },
  {
    name: "io-recovered",
    mechanism: "G5 a client that got everything is told that it was recovered",
    file: ADMISSION,
    edits: [["isWhole && isSame ? hello.pid : undefined", "undefined"]],
    noticedBy: [CLIENTS, "recovered as the same guest"],
  },
  {
    name: "io-no-part",
    mechanism: "G4 who did not get everything is not told that it was recovered",
    file: ADMISSION,
    edits: [["isWhole && isSame ? hello.pid : undefined", "hello.pid"]],
    noticedBy: [CLIENTS, "from before the memory"],
  },
  {
    name: "io-same-guest",
    mechanism: "a guest of Socket.IO comes back as the same",
    file: ADMISSION,
    edits: [["if (kept !== undefined && (await isValid(kept, auth)))", "if (kept === '')"]],
    noticedBy: [CLIENTS, "recovered as the same guest"],
  },
  {
    name: "io-buffer-bound",
    mechanism: "G10 a reader of Socket.IO that stops reading is closed at a byte bound",
    file: CONNECTION,
    edits: [["unsentBytes > this.#options.bufferBytesMax", "unsentBytes > Infinity"]],
    noticedBy: [BAD_INPUT, "stops reading"],
  },
  {
    name: "io-flood",
    mechanism: "what no session counts is counted by the connection",
    file: CONNECTION,
    edits: [["if (isFlood) this.onFlood();", ""]],
    noticedBy: [BAD_INPUT, "flood of"],
  },
  {
    name: "io-one-session",
    mechanism: "a connection has one session",
    file: CONNECTION,
    edits: [["if (this.#isClaimed || this", "if (this"]],
    noticedBy: [BAD_INPUT, "second connect before"],
  },
  {
    name: "io-binary",
    mechanism: "binary attachments are refused",
    file: TRANSLATION,
    edits: [["if (args.some(hasBinary)) return this.#session?.receiveBinary();", ""]],
    noticedBy: [BAD_INPUT, "binary"],
  },
  {
    name: "io-origin",
    mechanism: "pages of another origin are refused on every door",
    file: "functions/http/server.ts",
    edits: [["if (!isOriginAllowed(origins,", "if (req.url === '' && !isOriginAllowed(origins,"]],
    noticedBy: [BAD_INPUT, "another origin"],
  },
  {
    name: "io-ended",
    mechanism: "G11 a client of Socket.IO is told why its connection ends",
    file: TRANSLATION,
    edits: [['if (!isSlow) this.#emit("closed", { code, reason, reconnect });', "void isSlow;"]],
    noticedBy: [BAD_INPUT, "drains"],
  },
  {
    name: "io-told-first",
    mechanism: "G11 a node that ends waits until its clients of Socket.IO have been told",
    file: "functions/socketio/server.ts",
    edits: [
      [
        "for (const connection of open) connection.close();",
        "for (const connection of open) connection.cut();",
      ],
    ],
    noticedBy: [BAD_INPUT, "drains"],
  },
  {
    name: "io-no-polling",
    mechanism: "where polling can't work it is refused",
    file: "functions/socketio/server.ts",
    edits: [["if (hasPolling || transport", "if (hasPolling || true || transport"]],
    noticedBy: [SWITCH, "without polling"],
  },
  {
    name: "io-not-loaded",
    mechanism: "Socket.IO costs nothing where it is switched off",
    file: "functions/serve.ts",
    edits: [
      [
        'import type { SocketIo, SocketIoOptions } from "./socketio/server.ts";',
        'import { createSocketIo, type SocketIo, type SocketIoOptions } from "./socketio/server.ts";',
      ],
      ['  const { createSocketIo } = await import("./socketio/server.ts");\n', ""],
    ],
    noticedBy: [SWITCH, "not even loaded"],
  },
  {
    name: "io-read-once",
    mechanism: "an event is encoded once for all clients of Socket.IO",
    file: "functions/socketio/packets.ts",
    edits: [["  read.set(frame, fresh);\n", ""]],
    noticedBy: [PACKETS, "same packet"],
  },
  {
    name: "io-in-order",
    mechanism: "what Socket.IO itself sends keeps its place among what is written at the end of the tick",
    file: CONNECTION,
    edits: [["if (!this.#isFlushing) this.flush();", ""]],
    noticedBy: [PACKETS, "in its order"],
  },
  {
    name: "io-news-of-reset",
    mechanism: "who listens to `message` alone hears what a reset brings",
    file: TRANSLATION,
    edits: [["for (const event of news) this.#show(event);", ""]],
    noticedBy: ["functions/test/socketio-reset.test.ts", "links on"],
  },
  {
    name: "io-reset-no-part",
    mechanism: "behind a hole a reset brings no part as messages",
    file: TRANSLATION,
    edits: [[" || first.prev > cursor", ""]],
    noticedBy: ["functions/test/socketio-reset.test.ts", "never a part"],
  },
];
