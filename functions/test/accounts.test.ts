/** Accounts on the embedded engines, and as deployed: two nodes on real ones, with letters by SMTP. */
import { randomBytes } from "node:crypto";
import { afterAll, describe } from "vitest";
import { describeAccounts, type AccountsWorld } from "./accounts-contract.ts";
import { describeEngine } from "./engines.ts";
import { startEmbedded, startNode } from "./harness.ts";
import { createPostgresWorld } from "./postgres-world.ts";
import { openSmtpSink } from "./smtp-sink.ts";

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

describe("accounts", () => {
  describeAccounts("on embedded engines", async (): Promise<AccountsWorld> => {
    const embedded = await startEmbedded();
    closers.push(() => embedded.stop());
    return {
      urls: [embedded.url, embedded.url],
      output: () => embedded.output(),
      letterTo: async (address) => {
        const page = await (await fetch(`${embedded.url}/dev/mailbox`)).text();
        const letters = page.split("<article>").slice(1);
        return letters.find((letter) => letter.includes(`To ${address},`))?.replaceAll("&amp;", "&");
      },
    };
  });
});

describeEngine(["redis", "kafka", "postgres"], "accounts", ({ redisUrl, kafkaBrokers, databaseUrl }) => {
  describeAccounts("on two nodes with real engines", async (): Promise<AccountsWorld> => {
    const stage = `accounts-${randomBytes(4).toString("hex")}`;
    const postgres = await createPostgresWorld(databaseUrl);
    postgres.options({ schema: `skat_${stage.replaceAll("-", "_")}` }); // dropped at the end
    const smtp = await openSmtpSink();
    closers.push(
      () => postgres.close(),
      () => smtp.close(),
    );
    const env = {
      STAGE: stage,
      AUTH_SECRET: randomBytes(32).toString("hex"),
      REDIS_URL: redisUrl,
      KAFKA_BROKERS: kafkaBrokers,
      DATABASE_URL: databaseUrl,
      SMTP_URL: smtp.url,
      MAIL_FROM: "Skat <chat@example.org>",
    };
    const nodes = [await startNode(env), await startNode(env)] as const;
    closers.push(...nodes.map((node) => () => node.stop()));
    return {
      urls: [nodes[0].url, nodes[1].url],
      output: () => nodes[0].output(),
      letterTo: async (address) => smtp.letters.findLast(({ to }) => to.includes(`<${address}>`))?.text,
    };
  });
});
