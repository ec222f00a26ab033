/** Accounts on the embedded engines, and as deployed: two nodes on real ones, with letters by SMTP. */
import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { describeAccounts, EVERYWHERE_MS, isClosedIn, type AccountsWorld } from "./accounts-contract.ts";
import { Person } from "./api-client.ts";
import { describeEngine } from "./engines.ts";
import { runCommand, startEmbedded, startNode } from "./harness.ts";
import { createPostgresWorld } from "./postgres-world.ts";
import { openSmtpSink } from "./smtp-sink.ts";
import { guest, RawClient } from "./test-client.ts";
import { signUp, type Visitor } from "./visitor.ts";
import { waitFor } from "./wait-for.ts";

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
  let env: Record<string, string>;
  let urls: readonly [string, string];
  const admin = (...args: string[]) => runCommand("admin", env, args);

  describeAccounts("on two nodes with real engines", async (): Promise<AccountsWorld> => {
    const stage = `accounts-${randomBytes(4).toString("hex")}`;
    const postgres = await createPostgresWorld(databaseUrl);
    postgres.options({ schema: `skat_${stage.replaceAll("-", "_")}` }); // dropped at the end
    const smtp = await openSmtpSink();
    closers.push(
      () => postgres.close(),
      () => smtp.close(),
    );
    env = {
      STAGE: stage,
      AUTH_SECRET: randomBytes(32).toString("hex"),
      REDIS_URL: redisUrl,
      KAFKA_BROKERS: kafkaBrokers,
      DATABASE_URL: databaseUrl,
      SMTP_URL: smtp.url,
      MAIL_FROM: "Skat <chat@example.org>",
    };
    const nodes = await Promise.all([startNode(env), startNode(env)]);
    closers.push(...nodes.map((node) => () => node.stop()));
    urls = [nodes[0].url, nodes[1].url];
    return {
      urls,
      output: () => nodes[0].output(),
      letterTo: async (address) => smtp.letters.findLast(({ to }) => to.includes(`<${address}>`))?.text,
    };
  });

  it("[G13] by hand: users are listed, signed out and barred, on every node within 5 s", async () => {
    const ann = await signUp(urls[0]);
    const mine = async () => {
      const { out } = await admin("users", "list", "--json");
      return (JSON.parse(out) as { id: string; email: string; sessions: number }[]).find(
        ({ email }) => email === ann.email,
      );
    };
    const { id = "", sessions } = (await mine()) ?? {};
    expect(sessions).toBe(1);
    const client = await RawClient.open(urls[1], await ann.token());
    expect((await admin("users", "sign-out", id)).code).toBe(1); // not without being asked
    expect((await admin("users", "sign-out", id, "--yes")).out).toContain("1 sessions ended");
    expect(await isClosedIn(client)).toBeLessThan(EVERYWHERE_MS);
    expect((await mine())?.sessions).toBe(0);

    const eve = await guest(urls[0], "Eve");
    const there = await RawClient.open(urls[1], eve.token);
    expect((await admin("users", "bar", eve.user.id, "--yes")).code).toBe(0);
    expect(await isClosedIn(there)).toBeLessThan(EVERYWHERE_MS);
    const isRefused = async () => {
      const again = await RawClient.open(urls[0], eve.token);
      again.close();
      return again.frames.some((frame) => frame.type === "error" && frame.code === "token_revoked");
    };
    await waitFor(isRefused, "the first node to know of it");
    await admin("users", "bar", eve.user.id, "--yes"); // a second time: nothing is changed
    const { out } = await admin("rooms", "audit", "--json");
    const trail = JSON.parse(out) as { action: string; user?: { id: string }; by: { id: string } }[];
    const byHand = trail.filter(({ user }) => user?.id === id || user?.id === eve.user.id);
    expect(byHand.filter(({ by }) => by.id === "operator").map(({ action }) => action)).toEqual([
      "bar",
      "sign-out",
    ]);
    const unknown = await admin("tokens", "revoke", "none", "--yes");
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("no token none")]);
  }, 180_000);

  it("[G13] by hand: the server is handed over, to an account alone, and the trail says so", async () => {
    const [ann, ben] = [await signUp(urls[0]), await signUp(urls[1], "Ben")];
    const idOf = async (visitor: Visitor) =>
      ((await visitor.post("/api/token")).body as { user: { id: string } }).user.id;
    const owners = async () => {
      const answers = [await ann.get("/api/audit"), await ben.get("/api/audit")];
      return answers.map(({ status }) => status === 200);
    };
    const [first, second] = [await idOf(ann), await idOf(ben)];
    expect((await admin("users", "owner", first)).code).toBe(1); // not without being asked
    expect((await admin("users", "owner", first, second, "--yes")).err).toContain("one user");
    expect((await admin("users", "owner", "nobody", "--yes")).err).toContain("no account nobody");
    expect(await owners()).toEqual([false, false]);
    expect((await admin("users", "owner", first, "--yes")).out).toContain(`${first} owns this server.`);
    expect(await owners()).toEqual([true, false]);
    expect((await admin("users", "owner", second, "--yes")).code).toBe(0);
    expect(await owners()).toEqual([false, true]);
    const { changes } = (await ben.get("/api/audit")).body as {
      changes: { action: string; user?: { id: string }; by: { id: string } }[];
    };
    const handed = changes.filter(({ action, by }) => action === "owner" && by.id === "operator");
    expect(handed.map(({ user }) => user?.id).slice(0, 2)).toEqual([second, first]);
  }, 120_000);

  it("[G13] by hand: rooms are listed, a ban takes effect on every node within 5 s, and the owner reads who did it", async () => {
    const [owner, eve] = [await Person.on(urls, "Olga"), await Person.on(urls, "Eve")];
    const room = await owner.room("public", "By hand");
    const client = await eve.joined(room, 1);
    const json = async (...args: string[]) =>
      JSON.parse((await admin(...args, "--json")).out) as { id: string }[];
    expect((await json("rooms", "list")).map(({ id }) => id)).toEqual(
      expect.arrayContaining(["lobby", room]),
    );
    expect(await json("rooms", "members", "by-hand")).toHaveLength(2);
    expect((await admin("bans", "add", room, eve.id)).code).toBe(1); // not without being asked
    expect((await admin("bans", "add", room, eve.id, "spam", "again", "--yes")).out).toContain(
      "within five seconds",
    );
    const startMs = performance.now();
    expect(await client.next("left")).toMatchObject({ reason: "banned" });
    expect(performance.now() - startMs).toBeLessThan(EVERYWHERE_MS);
    expect(await json("bans", "list", room)).toMatchObject([{ user: { id: eve.id }, reason: "spam again" }]);
    expect((await admin("bans", "lift", room, eve.id, "--yes")).code).toBe(0);
    expect((await admin("rooms", "role", room, owner.id, "member", "--yes")).err).toContain("last owner");
    expect((await admin("rooms", "archive", room, "--yes")).code).toBe(0);
    const trail = (await owner.do("GET", `/rooms/${room}/audit`))["changes"] as {
      action: string;
      by: { id: string };
    }[];
    const byHand = trail.filter(({ by }) => by.id === "operator").map(({ action }) => action);
    expect(byHand).toEqual(["update", "unban", "ban"]);
    expect(await json("rooms", "audit", room)).toHaveLength(trail.length);
    const unknown = await admin("bans", "list", "no-such-room");
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("no room no-such-room")]);
    client.close();
  }, 240_000);
});
