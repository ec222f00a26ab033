/** Entry: what an operator does by hand, `npm run admin -- <noun> <verb>`. One file per noun in admin/. */
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { Refusal, type Call, type Noun, type Options } from "./admin/command.ts";
import { bans } from "./admin/bans.ts";
import { deadLetters } from "./admin/dead-letters.ts";
import { rooms } from "./admin/rooms.ts";
import { tokens } from "./admin/tokens.ts";
import { users } from "./admin/users.ts";
import { ConfigError, loadConfig, type Config } from "./config.ts";
import { openLog, openStore } from "./engines.ts";
import { createLifecycle, type Lifecycle } from "./lib/lifecycle.ts";
import { createLogger } from "./lib/logger.ts";

const NOUNS: Readonly<Record<string, Noun>> = { "dead-letters": deadLetters, users, tokens, rooms, bans };
const CLOSE_MS = 5_000;

// Standard output is for what was asked for.
const logger = createLogger({ level: "warn", destination: process.stderr });
const lifecycle = createLifecycle({ logger, deadlineMs: CLOSE_MS });
lifecycle.watch();
await lifecycle.end("done", await run(process.argv.slice(2)));

/** Answers the exit code. */
async function run(args: readonly string[]): Promise<number> {
  try {
    const { verb, names, options } = read(args);
    await verb(callOf(names, options, loadConfig(), lifecycle));
    return 0;
  } catch (error) {
    const isPlain = error instanceof Refusal || error instanceof ConfigError;
    if (!isPlain) logger.error("the command failed", { err: error });
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

function read(args: readonly string[]): { verb: Noun[string]; names: string[]; options: Options } {
  const { values, positionals } = parse(args);
  const [noun = "", verb = "", ...names] = positionals;
  const verbs = NOUNS[noun];
  if (!verbs) throw new Refusal(`Say what it is about: ${Object.keys(NOUNS).join(", ")}. Help: --help`);
  const task = verbs[verb];
  if (!task) throw new Refusal(`Say what to do with ${noun}: ${Object.keys(verbs).join(", ")}. Help: --help`);
  return { verb: task, names, options: values };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  try {
    const options = { json: flag, all: flag, yes: flag };
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}

function callOf(names: readonly string[], options: Options, config: Config, lifecycle: Lifecycle): Call {
  let opened: ReturnType<typeof openLog> | undefined;
  let store: ReturnType<typeof openStore> | undefined;
  const opening = () => {
    if (!config.database)
      throw new Refusal("The store is embedded, and its process has it to itself. Set DATABASE_URL.");
    return (store ??= openStore({ config, logger, lifecycle }));
  };
  return {
    names,
    options,
    print: (text) => console.log(text),
    confirm: (question) => confirm(question, options),
    openLog: () => {
      if (!config.kafka)
        throw new Refusal("The log is embedded: its dead letters end with its process. Set KAFKA_BROKERS.");
      return (opened ??= openLog({ config, logger, lifecycle }));
    },
    openAccounts: async () => (await opening()).accounts,
    openStore: async () => (await opening()).store,
  };
}

async function confirm(question: string, { yes }: Options): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new Refusal(`${question} Without a terminal to ask at, say --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal("Nothing was done.");
}
