/** What the npm scripts do: the entry each runs, what must be ready for it, and its help text. */

const settings = "Settings come from the environment and from .env; .env.example lists them all.";

/** Each command: the `entry` it runs and the generated things it `needs`. */
export const commands = {
  start: {
    entry: "dist/server/dev.mjs",
    needs: ["prisma", "server", "web"],
    usage: "npm start",
    summary: "Run Skat in one process and print its address.",
    details: `Engines that are not configured are embedded; their data is in .data/.\n${settings}`,
  },
  dev: {
    entry: "functions/dev.ts",
    needs: ["prisma"],
    usage: "npm run dev",
    summary: "Like start, but reload server and page when a file changes.",
    details: settings,
  },
  node: {
    entry: "dist/server/node.mjs",
    needs: ["prisma", "server", "web"],
    usage: "npm run start:node",
    summary: "Run one realtime node on real engines.",
    details: settings,
  },
  consumer: {
    entry: "dist/server/consumer.mjs",
    needs: ["prisma", "server"],
    usage: "npm run start:consumer -- [--once]",
    summary: "Store what the log holds in PostgreSQL.",
    details: `--once   store what is there and end, for a schedule\n${settings}`,
  },
  doctor: {
    entry: "dist/server/doctor.mjs",
    needs: ["prisma", "server"],
    usage: "npm run doctor -- [--json]",
    summary: "Look whether the engines that are set can be used as they are.",
    details: [
      "Each check ends in one line that says what was found or, where it fails, the cure. Nothing is changed.",
      "--json     the same as JSON:  npm run -s doctor -- --json",
      "Ends with 0 when all is well (warnings count as that), 1 when a check failed, 2 when a setting is wrong.",
      settings,
    ].join("\n"),
  },
  stage: {
    entry: "dist/server/stage.mjs",
    needs: ["prisma", "server"],
    usage: "npm run stage -- create NAME | list | remove NAME | sweep",
    summary: "Make, list and remove stages that share the engines that are set.",
    details: [
      "create NAME   schema, topics and names of the stage; again, it changes nothing. With --password-stdin also",
      "              a user for each engine that can have one, with the password on the standard input",
      "list          the stages that have left anything in one of the engines",
      "remove NAME   everything of the stage; production is refused. End its processes first",
      "sweep --open 12,15   remove every pr-NUMBER but these; --open none, or --open - for the standard input",
      "",
      "The settings are those of a user who may do all this; STAGE is not looked at.",
      settings,
    ].join("\n"),
  },
  migrate: {
    entry: "dist/server/migrate.mjs",
    needs: ["prisma", "server"],
    usage: "npm run migrate",
    summary: "Bring the database's tables up to date.",
    details: settings,
  },
  admin: {
    entry: "dist/server/admin.mjs",
    needs: ["prisma", "server"],
    usage: "npm run admin -- <noun> <verb>",
    summary: "Do by hand what an operator has to.",
    details: [
      "dead-letters list               the records that could not be stored, with their reasons",
      "dead-letters show <id> …        all of a letter",
      "dead-letters replay <id> …      append it to the log again; --all for every one",
      "dead-letters drop <id> …        give it up; --all for every one",
      "users list                      who has an account",
      "users sign-out <id> …           end every session of a user",
      "users bar <id> …                refuse a user, also a guest, whatever token it has",
      "tokens list                     the tokens of bots",
      "tokens revoke <id> …            take one away",
      "rooms list                      every room, also the private ones",
      "rooms members <room>            who is in it, by id or slug of the room",
      "rooms audit [<room>]            what was changed, by whom and when",
      "rooms role <room> <user> <role> owner, moderator, member or read-only",
      "rooms archive|restore <room>    nobody can write to it; or everybody again",
      "bans list <room>                who is banned",
      "bans add <room> <user> <why …>  until it is lifted",
      "bans lift <room> <user>         lets it in again",
      "",
      "--json   machine-readable output of list and show",
      "--yes    don't ask before something is changed",
      settings,
    ].join("\n"),
  },
  test: {
    entry: "scripts/test.ts",
    needs: ["prisma", "server", "web"],
    usage: "npm test -- [vitest arguments]",
    summary: "Run every test suite on real engines, and list what was left out.",
    details: [
      "Each engine is taken from the first of: TEST_REDIS_URL, TEST_KAFKA_BROKERS, TEST_DATABASE_URL (or the same",
      "without TEST_ when it names this machine or CI is set); `npm run engines -- up`; Docker; programs found here;",
      "an installation (Debian as root). CI=true makes a missing engine a failure.",
      "",
      "npm test -- event-log            only the files whose path contains event-log",
      "npm test -- -t G4                only the tests whose title contains G4",
    ].join("\n"),
  },
  faults: {
    entry: "scripts/faults.ts",
    needs: ["prisma", "server", "web"],
    usage: "npm run faults -- [--seed S] [--faults 200]",
    summary: "Break real nodes, consumers and engines under load, and audit what became of every message.",
    details: [
      "--seed S         the order of faults and what they hit; printed when it is not given",
      "--faults N       how many, one after the other [200]",
      "--clients N      who write and read [200]",
      "--rate N         messages a second over all of them [300]",
      "--kind TEXT      only the kinds whose name contains it",
      "--storm N        instead: what it costs when N clients come back after a node's death or a deploy",
      "--report FILE    where the figures go [docs/faults.md, docs/storms.md]",
    ].join("\n"),
  },
  mutate: {
    entry: "scripts/mutate.ts",
    needs: ["prisma"],
    usage: "npm run mutate -- [--list] [--only <name>]",
    summary: "Take each mechanism out in a scratch copy, and show which test goes red.",
    details: [
      "--list          the mechanisms, and what each keeps",
      "--only <name>   just that one; can be given more than once",
      "",
      "Each test is run with its mechanism, where it must be green, and without it. A mechanism that no test notices",
      "is a failure. All of them take about a quarter of an hour.",
    ].join("\n"),
  },
  check: {
    entry: "scripts/check.ts",
    needs: ["prisma"],
    usage: "npm run check -- [--force]",
    summary: "Check format, lint, types, import direction, lockfile and compose.yaml.",
    details:
      "Every check runs, and those whose files did not change since they passed are not repeated; --force repeats all.",
  },
  simulate: {
    entry: "functions/test/simulation/simulate.ts",
    needs: [],
    usage: "npm run simulate -- --seeds N --from M",
    summary: "Run the core on simulated engines with faults drawn from seeds, and audit each run.",
    details: [
      "--seeds N       as many seeds (100); from 200 on, a fault or repair path that was never met is a failure",
      "--from M        the first of them (the time in seconds)",
      "--losses        list the messages that were sent, never saved and lost, each with its excuse",
      "--seed X        one seed alone, with the faults of its plan",
      "--trace         and every frame, log line and fault of it",
      "--faults 1,4    only these faults of its plan",
      "--clients 0,3   only these clients of its plan",
      "",
      "A failing seed is shrunk, and the trace of what is left is printed. Exit codes: 0 nothing was found, 1 something",
      "was, 2 an argument is wrong.",
    ].join("\n"),
  },
  engines: {
    entry: "scripts/engines.ts",
    needs: [],
    usage: "npm run engines -- up | down | status | env",
    summary: "Run real Redis, Kafka and PostgreSQL by hand, on free ports of 127.0.0.1.",
    details: [
      "up       start them, installing what is missing (Debian as root); they go on until down",
      "down     stop them and delete their data",
      "status   say what runs and where",
      'env      print the variables that make Skat use them:  eval "$(npm run -s engines -- env)"',
      "",
      "Name engines to have only those: npm run engines -- up redis postgres",
    ].join("\n"),
  },
  smoke: {
    entry: "scripts/smoke.ts",
    needs: [],
    usage: "npm run smoke -- <url>",
    summary: "Hold a short conversation on a deployment, to see that every part of it works.",
    details: [
      "Two guests connect as the pages of that address would, and one writes to the other, in the room “Smoke test”;",
      "it ends well when the message was sent, received, saved, and is in the history.",
      "",
      "--api-only       do not ask for the page",
      "--timeout-ms n   how long each step may take, 15000 by default",
      "",
      "Exit code: 0 all is well, 1 a step failed, 2 the arguments are wrong.",
    ].join("\n"),
  },
  "image:tree": {
    entry: "scripts/image-tree.ts",
    needs: ["prisma", "web"],
    usage: "npm run image:tree",
    summary: "Make the files of the container images in dist/image/, without Docker.",
    details:
      "The Dockerfile runs the same. dist/image/node and dist/image/consumer need Node and nothing else.",
  },
  screenshots: {
    entry: "web/test/screenshots.ts",
    needs: ["prisma", "server", "web"],
    usage: "npm run screenshots [-- <view>…]",
    summary: "Take pictures of every view of the page, in light and dark, on a phone and on a desktop.",
    details: "They come to dist/screenshots/, and two of them to docs/ for the README. Needs Chromium.",
  },
  infra: {
    entry: "scripts/infra.ts",
    needs: [],
    usage: "npm run infra",
    summary: "Install what tests of the stack need: SST's components, a third of a gigabyte in .sst/.",
    details:
      "From the npm registry alone; no cloud is asked. Without it `npm test` leaves those tests out and says so.",
  },
};

/** The help of one command, or the list of all of them when there is no such command. */
export function helpFor(name) {
  const command = commands[name];
  if (command) return `${command.usage}\n\n${command.summary}\n\n${command.details}`;
  const lines = Object.values(commands).map(({ usage, summary }) => `  ${usage.padEnd(46)} ${summary}`);
  return ["Skat's commands (add -- --help for more):", "", ...lines].join("\n");
}
