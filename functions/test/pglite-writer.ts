/** A process that stores events without end in the folder it is given, and prints the id of each that was acknowledged. */
import { openPglite } from "../adapters/pglite-client.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { message } from "./events.ts";

const store = new PrismaStore(await openPglite(process.argv[2] ?? ""));
for (let n = 0; ; n++) {
  const event = message("r", n);
  await store.insertEvents([event]);
  process.stdout.write(`${event.id}\n`);
}
