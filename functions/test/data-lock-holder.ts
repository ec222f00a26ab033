/** A process that locks the folder it is given, says so or why not, and holds it until it is ended. */
import { lockDataFolder } from "../lib/data-lock.ts";

const [dir = "", url] = process.argv.slice(2);
try {
  const lock = await lockDataFolder(dir);
  if (url !== undefined) lock.note({ url });
  console.log("locked");
  setInterval(() => {}, 60_000);
} catch (error) {
  console.log(String(error));
}
