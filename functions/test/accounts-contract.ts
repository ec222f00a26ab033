/** What holds for accounts, on whatever engines: told once, and run on the embedded ones and on real ones with two nodes. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { uuidV7 } from "../core/uuid.ts";
import { guest, RawClient } from "./test-client.ts";
import { newAddress, PASSWORD, signUp, Visitor, type Answer } from "./visitor.ts";
import { waitFor } from "./wait-for.ts";

export interface AccountsWorld {
  /** Of every node; the same one twice where there is only one. */
  readonly urls: readonly [string, string];
  /** Everything the processes printed. */
  output(): string;
  /** The newest letter to that address. */
  letterTo(address: string): Promise<string | undefined>;
}

export const EVERYWHERE_MS = 5_000;

async function signIn(url: string, email: string, password = PASSWORD): Promise<[Visitor, Answer]> {
  const visitor = new Visitor(url);
  return [visitor, await visitor.post("/api/auth/sign-in/email", { email, password })];
}

/** Sends to the lobby; answers the event as everybody gets it. */
async function say(client: RawClient, body: string) {
  const joined = await client.ask({ type: "join", room: "lobby" });
  const since = joined.type === "joined" ? joined.head : "";
  const id = uuidV7(systemRuntime);
  const sent = await client.ask({ type: "send", room: "lobby", id, body, since });
  if (sent.type !== "sent") return sent;
  return waitFor(
    () => client.frames.find((frame) => frame.type === "event" && frame.id === id),
    "the message to come back",
  );
}

function readmeScript(): string {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  return /```js\n(\/\/ say\.mjs[\s\S]*?)```/.exec(readme)?.[1] ?? "";
}

/** Runs a module as it stands in the README, beside the project's modules, and answers what it prints. */
async function runScript(script: string, args: readonly string[]): Promise<string> {
  const file = new URL("../../node_modules/.cache/say.mjs", import.meta.url);
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, script);
  return (await promisify(execFile)(process.execPath, [fileURLToPath(file), ...args])).stdout;
}

export async function isClosedIn(client: RawClient): Promise<number> {
  const startedAtMs = performance.now();
  await waitFor(() => client.closed, "the socket to be closed");
  return performance.now() - startedAtMs;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const codeOf = ({ body }: Answer) => (body["error"] as { code?: string } | undefined)?.code ?? body["code"];

export function describeAccounts(title: string, open: () => Promise<AccountsWorld>): void {
  describe(title, () => {
    let world: AccountsWorld;
    let url: string;
    let other: string;
    beforeAll(async () => {
      world = await open();
      [url, other] = world.urls;
    }, 120_000);

    it("from sign-up to a first message that is saved, with a token, on any node", async () => {
      const ann = await signUp(url);
      const token = await ann.token();
      const client = await RawClient.open(other, token);
      const { user } = await client.next("welcome");
      expect(user.name).toBe("Ann");
      expect(await say(client, "Hello")).toMatchObject({ type: "event", user, body: "Hello" });
      await client.next("saved");
      client.close();
    });

    it("the README's script sends a first message", async () => {
      const token = await (await signUp(url)).token();
      const told = await runScript(readmeScript(), [other, token, "Hello from the README"]);
      expect(told).toMatch(/type: 'saved'/);
    });

    it("the session's cookie can't be read by scripts or sent by foreign pages, and nothing else proves the session", async () => {
      const visitor = new Visitor(url);
      visitor.set("skat.session_token", "planted.by-somebody-else");
      const planted = visitor.cookie;
      const answer = await visitor.post("/api/auth/sign-up/email", {
        name: "Ann",
        email: newAddress(),
        password: PASSWORD,
      });
      const [cookie = ""] = answer.headers.getSetCookie();
      expect(cookie).toMatch(/^skat\.session_token=/);
      expect(cookie).toContain("HttpOnly");
      expect(cookie).toContain("SameSite=Lax");
      expect(visitor.cookie).not.toBe(planted);
      const forged = new Visitor(url);
      forged.set("skat.session_token", String(answer.body["token"]));
      expect((await forged.get("/api/rooms")).status).toBe(401);
      forged.set("skat.session_token", `${String(answer.body["token"])}.AAAA`);
      expect((await forged.get("/api/rooms")).status).toBe(401);
      const [again] = await signIn(url, String((answer.body["user"] as { email: string }).email));
      expect(again.cookie).not.toBe(visitor.cookie); // a new session each time
    });

    it("a wrong password and an unknown address are told alike; an address has one account", async () => {
      const { email } = await signUp(url);
      const [, wrong] = await signIn(url, email, "not the password");
      const [, unknown] = await signIn(other, "nobody@example.org");
      expect(wrong.status).toBe(401);
      expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body]);
      const twice = await new Visitor(other).post("/api/auth/sign-up/email", {
        name: "Eve",
        email: email.toUpperCase(),
        password: PASSWORD,
      });
      expect(twice.status).toBe(422);
    });

    it("guessing a password is slowed down on all nodes together, for that account only", async () => {
      const [ann, ben] = [await signUp(url), await signUp(url, "Ben")];
      const answers: Answer[] = [];
      for (let tries = 0; tries < 12; tries++) {
        // Written in another way it is the same address, also behind one that only a search would find.
        const hidden = `{"x":{"email":"${tries}@example.org"},"\\u0065mail":"\\u0070${ann.email.slice(1).toUpperCase()}",`;
        const guess = `${hidden}"password":"guess number ${tries}"}`;
        answers.push(await new Visitor(tries % 2 ? url : other).send("/api/auth/sign-in/email", guess));
      }
      const refused = answers.filter((answer) => codeOf(answer) === "rate_limited");
      expect(answers[0]?.status).toBe(401);
      expect(refused.length).toBeGreaterThanOrEqual(2);
      expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
      expect((await signIn(url, ann.email))[1].status).toBe(429); // also with the right one
      expect((await signIn(other, ben.email))[1].status).toBe(200);
    });

    it("a guest who signs up stays the same user; its guest's token and its sockets end everywhere within 5 s", async () => {
      const ann = await guest(url, "Ann");
      const here = await RawClient.open(url, ann.token);
      const there = await RawClient.open(other, ann.token);
      expect(await say(here, "as a guest")).toMatchObject({ user: ann.user });
      const member = new Visitor(url);
      const body = { name: "Ann", email: newAddress(), password: PASSWORD };
      const made = await member.post("/api/auth/sign-up/email", body, bearer(ann.token));
      expect(made.status).toBe(200);
      const times = await Promise.all([isClosedIn(here), isClosedIn(there)]);
      expect(Math.max(...times)).toBeLessThan(EVERYWHERE_MS);
      expect(there.closed).toEqual({ code: 4503, reason: "token_revoked" });
      const again = await RawClient.open(other, await member.token());
      expect(await again.next("welcome")).toMatchObject({ user: ann.user });
      const old = await new Visitor(other).get("/api/rooms", bearer(ann.token));
      expect([old.status, codeOf(old)]).toEqual([401, "token_revoked"]);
      const twice = { ...body, email: newAddress() };
      const second = await new Visitor(url).post("/api/auth/sign-up/email", twice, bearer(ann.token));
      expect(second.status).toBe(401);
      again.close();
    });

    it("[G13] sessions are listed, and one that is called back is closed on every node within 5 s, by cookie and by token", async () => {
      const ann = await signUp(url);
      const [phone] = await signIn(other, ann.email);
      const phoneToken = await phone.token();
      const byToken = await RawClient.open(url, phoneToken);
      const byCookie = await phone.socket();
      await byCookie.next("welcome");
      const own = await ann.socket();
      const listed = (await ann.get("/api/auth/list-sessions")).body as unknown as { token: string }[];
      expect(listed).toHaveLength(2);
      const victim = listed.find(({ token }) => phone.cookie.includes(token));
      expect((await ann.post("/api/auth/revoke-session", { token: victim?.token })).status).toBe(200);
      const times = await Promise.all([isClosedIn(byToken), isClosedIn(byCookie)]);
      expect(Math.max(...times)).toBeLessThan(EVERYWHERE_MS);
      expect([byToken.closed?.code, byCookie.closed?.code]).toEqual([4503, 4503]);
      expect(codeOf(await new Visitor(other).get("/api/rooms", bearer(phoneToken)))).toBe("token_revoked");
      expect((await phone.get("/api/rooms")).status).toBe(401);
      expect(ann.isOpen(own)).toBe(true);
      own.close();
    });

    it("a session of somebody else can't be called back", async () => {
      const [ann, eve] = [await signUp(url), await signUp(url, "Eve")];
      const [{ token } = { token: "" }] = (await ann.get("/api/auth/list-sessions")).body as unknown as {
        token: string;
      }[];
      await eve.post("/api/auth/revoke-session", { token });
      expect((await ann.get("/api/rooms")).status).toBe(200);
    });

    it("[G13] signing out ends the session's sockets and tokens", async () => {
      const ann = await signUp(url);
      const token = await ann.token();
      const client = await RawClient.open(other, token);
      await ann.post("/api/auth/sign-out");
      expect(await isClosedIn(client)).toBeLessThan(EVERYWHERE_MS);
      expect(ann.cookie).toBe("");
      expect((await ann.post("/api/token")).status).toBe(401);
    });

    it("an address is proved by a letter, and a forgotten password is set anew by one, which ends every session", async () => {
      const ann = await signUp(url);
      const proof = await waitFor(() => world.letterTo(ann.email), "the letter");
      const link = new URL(/https?:\S+verify-email\S+/.exec(proof)?.[0] ?? "");
      expect((await new Visitor(url).get(link.pathname + link.search)).status).toBe(302);
      const session = (await ann.get("/api/auth/get-session")).body["user"] as { emailVerified: boolean };
      expect(session.emailVerified).toBe(true);

      const client = await RawClient.open(other, await ann.token());
      const asked = await new Visitor(url).post("/api/auth/request-password-reset", { email: ann.email });
      const nobody = await new Visitor(url).post("/api/auth/request-password-reset", { email: newAddress() });
      expect([asked.status, asked.body]).toEqual([nobody.status, nobody.body]);
      const letter = await waitFor(async () => {
        const newest = await world.letterTo(ann.email);
        return newest?.includes("reset-password") && newest;
      }, "the letter");
      const token = /with this token:\s+(\S+)/.exec(letter)?.[1];
      const newPassword = "another horse battery";
      const reset = () => new Visitor(other).post("/api/auth/reset-password", { newPassword, token });
      expect((await reset()).status).toBe(200);
      expect((await reset()).status).toBe(400); // once
      expect(await isClosedIn(client)).toBeLessThan(EVERYWHERE_MS);
      expect((await ann.get("/api/rooms")).status).toBe(401);
      expect((await signIn(url, ann.email))[1].status).toBe(401);
      expect((await signIn(url, ann.email, newPassword))[1].status).toBe(200);
    });

    it("a profile has a name and a colour that are checked, and nothing else can be given", async () => {
      const ann = await signUp(url);
      const before = (await ann.get("/api/auth/get-session")).body["user"] as Record<string, unknown>;
      expect((await ann.post("/api/auth/update-user", { name: " Ann B. ", color: "#aabb01" })).status).toBe(
        200,
      );
      await ann.post("/api/auth/update-user", {
        name: "Ann B.",
        id: "root",
        emailVerified: true,
        createdAt: 0,
      });
      const after = (await ann.get("/api/auth/get-session")).body["user"];
      expect(after).toEqual({ ...before, name: "Ann B.", color: "#aabb01", updatedAt: expect.any(String) });
      for (const wrong of [
        { name: "a\u202eb" },
        { color: "red" },
        { image: "javascript:alert(1)" },
        { name: "" },
      ]) {
        expect((await ann.post("/api/auth/update-user", wrong)).status, JSON.stringify(wrong)).toBe(400);
      }
      const { user } = (await ann.post("/api/token")).body as { user: { name: string } };
      expect(user.name).toBe("Ann B.");
    });

    it("a page of another origin can neither connect nor change anything with a visitor's cookie", async () => {
      const ann = await signUp(url);
      const foreign = { origin: "https://evil.example" };
      for (const path of [
        "/api/token",
        "/api/rooms",
        "/api/auth/sign-out",
        "/api/auth/update-user",
        "/api/owner",
      ]) {
        expect(codeOf(await ann.post(path, { name: "x" }, foreign)), path).toBe("origin_refused");
        expect(codeOf(await ann.post(path, { name: "x" }, { origin: "null" })), path).toBe("origin_refused");
      }
      const socket = await ann.socket(foreign);
      expect(ann.isOpen(socket)).toBe(false);
      expect((await ann.get("/api/auth/get-session")).body["user"]).toMatchObject({ name: "Ann" });
    });

    it("an upgrade with the cookie is welcomed unasked; a token that comes first says otherwise, a later one can't", async () => {
      const ann = await signUp(url);
      const byCookie = await ann.socket();
      expect(await byCookie.next("welcome")).toMatchObject({ user: { name: "Ann" } });
      const eve = await guest(url, "Eve");
      expect(await byCookie.ask({ type: "auth", token: eve.token })).toMatchObject({ user: eve.user });
      const ann2 = await ann.socket();
      await ann2.next("welcome");
      expect(await say(ann2, "by cookie")).toMatchObject({ user: { name: "Ann" } });
      expect(await ann2.ask({ type: "auth", token: eve.token })).toMatchObject({ code: "invalid_token" });
      expect(ann.isOpen(ann2)).toBe(true);
      const stale = new Visitor(url);
      stale.set("skat.session_token", "none.at-all");
      const stranger = await stale.socket();
      expect(await stranger.ask({ type: "join", room: "lobby" })).toMatchObject({
        code: "not_authenticated",
      });
      for (const client of [byCookie, ann2, stranger]) client.close();
    });

    it("the printed code makes one person the owner, once", async () => {
      const [ann, eve] = [await signUp(url), await signUp(other, "Eve")];
      const code = /"ownerCode":"([0-9a-f-]+)"/.exec(world.output())?.[1];
      const ben = await guest(url, "Ben");
      expect(codeOf(await new Visitor(url).post("/api/owner", { code }, bearer(ben.token)))).toBe(
        "owner_only",
      );
      expect(codeOf(await eve.post("/api/owner", { code: "000000-000000-000000-000000" }))).toBe(
        "wrong_code",
      );
      expect(codeOf(await eve.post("/api/owner", { code: { $ne: "" } }))).toBe("invalid_field");
      expect(codeOf(await eve.get("/api/bots"))).toBe("owner_only");
      const claims = await Promise.all([ann.post("/api/owner", { code }), eve.post("/api/owner", { code })]);
      expect(claims.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(claims.map(codeOf)).toContain("wrong_code");
      const [owner, loser] = claims[0]?.status === 200 ? [ann, eve] : [eve, ann];
      expect((await owner.get("/api/bots")).body).toEqual({ bots: [] });
      expect(codeOf(await loser.post("/api/owner", { code }))).toBe("wrong_code");

      await botsAreLimited(owner, other);
      const { changes } = (await owner.get("/api/audit")).body as { changes: { action: string }[] };
      expect(changes.find(({ action }) => action === "revoke-token")).toMatchObject({
        user: { name: "Bot" },
        by: { name: owner === ann ? "Ann" : "Eve" },
        detail: { token: expect.any(String) },
      });
      expect(codeOf(await loser.get("/api/audit"))).toBe("owner_only");
      expect(codeOf(await loser.post("/api/bots", { name: "x", scopes: ["read"] }))).toBe("owner_only");
    });
  });
}

/** A bot does what its scopes say, until its token is taken away. */
async function botsAreLimited(owner: Visitor, url: string): Promise<void> {
  for (const scopes of [undefined, [], ["root"], "read"]) {
    expect(codeOf(await owner.post("/api/bots", { name: "Bot", scopes }))).toBe("invalid_field");
  }
  const made = await owner.post("/api/bots", { name: "Bot", scopes: ["read"] });
  const { token, id, user } = made.body as { token: string; id: string; user: { id: string; name: string } };
  const visitor = new Visitor(url);
  expect((await visitor.get("/api/rooms", bearer(token))).status).toBe(200);
  expect(codeOf(await visitor.post("/api/rooms", { name: "x" }, bearer(token)))).toBe("insufficient_scope");
  expect(codeOf(await visitor.get("/api/bots", bearer(token)))).toBe("owner_only");
  const reader = await RawClient.open(url, token);
  expect(await say(reader, "may not")).toMatchObject({ type: "error", code: "insufficient_scope" });

  const more = await owner.post(`/api/bots/${user.id}/tokens`, { scopes: ["read", "write"], days: 1 });
  const writer = await RawClient.open(url, (more.body as { token: string }).token);
  expect(await say(writer, "may")).toMatchObject({ type: "event", user });

  const all = await owner.post(`/api/bots/${user.id}/tokens`, { scopes: ["read", "write", "manage"] });
  const mighty = bearer((all.body as { token: string }).token);
  expect(codeOf(await visitor.post("/api/me/delete", {}, mighty))).toBe("forbidden");
  expect((await visitor.get("/api/rooms", mighty)).status).toBe(200);

  expect((await owner.delete(`/api/bots/tokens/${id}`)).status).toBe(200);
  expect(await isClosedIn(reader)).toBeLessThan(EVERYWHERE_MS);
  expect(codeOf(await visitor.get("/api/rooms", bearer(token)))).toBe("invalid_token");
  expect(writer.closed).toBeUndefined();
  expect(codeOf(await owner.delete(`/api/bots/tokens/${id}`))).toBe("unknown_bot");
  expect(JSON.stringify((await owner.get("/api/bots")).body)).not.toContain("skat_bot_");
  writer.close();
}
