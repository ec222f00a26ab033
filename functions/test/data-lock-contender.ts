/** A process that locks the folder it is given at the very moment it is told to, and says whether it got it. */
import { lockDataFolder, type DataLock } from "../lib/data-lock.ts";

const dir = process.argv[2] ?? "";
let lock: DataLock | undefined;

process.on("message", async (question: "release" | { readonly lockAtMs: number }) => {
  if (question === "release") {
    lock?.release();
    lock = undefined;
    process.send?.("released");
  } else {
    while (Date.now() < question.lockAtMs); // all of them spin to the same millisecond
    lock = await tryToLock();
    process.send?.(lock === undefined ? "refused" : "locked");
  }
});
process.send?.("ready");

async function tryToLock(): Promise<DataLock | undefined> {
  try {
    return await lockDataFolder(dir);
  } catch {
    return undefined;
  }
}
