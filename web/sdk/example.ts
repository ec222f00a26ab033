/** A guest who greets the lobby: `npx tsx web/sdk/example.ts http://127.0.0.1:3000 Ada`. */
import { createApi, createClient } from "@skat/client";
import { WebSocket } from "ws"; // Node 20 has none of its own; browsers need no such line

const [url = "http://127.0.0.1:3000", name = "Ada"] = process.argv.slice(2);
const { token, user } = await createApi(url).guest(name);
const client = createClient({ url, token, user, WebSocket });

client.on("state", ({ phase }) => console.log(`(${phase})`));
client.on("message", ({ user: author, body }) => console.log(`${author.name}: ${body}`));
client.on("delivery", ({ id, state }) => console.log(`${id} is ${state}`));
client.on("error", (error) => console.error(error.code, error.message));

client.join("lobby");
client.connect();

const signal = AbortSignal.timeout(30_000);
const { messages } = await client.joined("lobby", { signal });
console.log(`${messages.length} messages are shown`);

// From here on it is kept, and sent until it is saved: over reconnects, and in a browser over reloads.
const hello = client.send("lobby", `Hello, I am ${name}`);
await client.saved(hello.id, { signal });

const page = await client.history("lobby", { limit: 10, signal });
console.log(`the newest is: ${page.events.at(-1)?.body}`);
client.close();
