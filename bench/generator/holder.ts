/** Holds connections that stay quiet, a process of its own: prints a line once all have joined, and ends when its input does. */
import { RawClient } from "./raw-client.ts";
import { SkatResuming } from "./resuming.ts";

export interface HolderJob {
  readonly port: number;
  readonly token: string;
  /** One connection each, by the rooms that it joins. */
  readonly rooms: readonly (readonly string[])[];
}

const CONNECTING_AT_ONCE = 20;

async function hold({ port, token, rooms }: HolderJob): Promise<void> {
  for (let start = 0; start < rooms.length; start += CONNECTING_AT_ONCE) {
    const some = rooms.slice(start, start + CONNECTING_AT_ONCE).map((own) => {
      const dialect = new SkatResuming(own).dialect();
      const shared = { host: "127.0.0.1", port, dialect, opening: { token, room: "" } };
      return new RawClient({ ...shared, onMessage: () => {}, onEnd: () => process.exit(1) });
    });
    await Promise.all(some.map((client) => client.joined));
  }
  console.log("held");
}

/** The job comes by the input: ten thousand rooms are more than an argument may hold. */
let text = "";
process.stdin.setEncoding("utf8").on("data", (chunk: string) => {
  text += chunk;
  if (text.endsWith("\n")) void hold(JSON.parse(text) as HolderJob);
});
process.stdin.on("end", () => process.exit(0));
