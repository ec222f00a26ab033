/** `npm run admin -- dead-letters`: look at poison records, bring them back, or drop them. */
import { replayLetters, roomOf } from "../core/dead-letters.ts";
import type { KeptLetter } from "../core/event-log.ts";
import { Refusal, type Call, type Noun } from "./command.ts";

export const deadLetters: Noun = { list, show, replay, drop };

async function list({ names, options, openLog, print }: Call): Promise<void> {
  if (names.length > 0) throw new Refusal("`list` takes no ids; `show` does.");
  const { deadLetters } = await openLog();
  const letters = await deadLetters.list();
  if (options.json) return print(JSON.stringify(letters.map(toJson), undefined, 2));
  if (letters.length === 0) return print("There are no dead letters.");
  for (const { id, putAtMs, key, reason } of letters) {
    print(`${id.padEnd(10)} ${new Date(putAtMs).toISOString()}  ${roomOf(key)}  ${firstLine(reason)}`);
  }
}

async function show(call: Call): Promise<void> {
  const { options, print } = call;
  if (options.all) throw new Refusal("Name the letters to show; `list` has their ids.");
  const letters = await chosen(call);
  if (options.json) return print(JSON.stringify(letters.map(toJson), undefined, 2));
  for (const { id, putAtMs, key, value, reason, partition, offset } of letters) {
    print(`${id}, put aside ${new Date(putAtMs).toISOString()}`);
    print(
      `key:    ${key}\nfrom:   partition ${partition}, offset ${offset} of the log\nreason: ${reason}\n${value}\n`,
    );
  }
}

async function replay(call: Call): Promise<void> {
  const letters = await chosen(call);
  if (letters.length === 0) return call.print("There is nothing to replay.");
  await call.confirm(`Append ${counted(letters)} to the log again?`);
  const { deadLetters, log } = await call.openLog();
  await replayLetters(letters, deadLetters, log);
  call.print(`Replayed ${counted(letters)}. What the consumer still can't store comes back as a new letter.`);
}

async function drop(call: Call): Promise<void> {
  const letters = await chosen(call);
  if (letters.length === 0) return call.print("There is nothing to drop.");
  await call.confirm(`Drop ${counted(letters)}? Nothing brings them back.`);
  const { deadLetters } = await call.openLog();
  await deadLetters.remove(
    letters.map(({ id }) => id),
    "dropped",
  );
  call.print(`Dropped ${counted(letters)}.`);
}

/** The letters named, or all of them. Refuses when one is not there, before anything is done. */
async function chosen({ names, options, openLog }: Call): Promise<readonly KeptLetter[]> {
  if (options.all === names.length > 0) throw new Refusal("Name letters by their ids, or say --all.");
  const letters = await (await openLog()).deadLetters.list();
  if (options.all) return letters;
  const unknown = names.filter((name) => !letters.some(({ id }) => id === name));
  if (unknown.length > 0) throw new Refusal(`There is no dead letter ${unknown.join(", ")}.`);
  return letters.filter(({ id }) => names.includes(id));
}

function counted({ length }: readonly KeptLetter[]): string {
  return length === 1 ? "1 dead letter" : `${length} dead letters`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function toJson({ offset, putAtMs, ...letter }: KeptLetter): object {
  return { ...letter, offset: String(offset), putAt: new Date(putAtMs).toISOString() };
}
