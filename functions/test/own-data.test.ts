/** One's own data and the end of an account on the product: on the embedded engines, and over two nodes and a consumer on real ones. */
import { randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KafkaEventLog } from "../adapters/event-log-kafka.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { loadConfig } from "../config.ts";
import { encodeEvent } from "../core/event.ts";
import { toLines } from "../http/lines.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { DELETED_NAME, type RoomEvent, type ServerFrame } from "../protocol.ts";
import { EVERYWHERE_MS, isClosedIn } from "./accounts-contract.ts";
import { Person, say } from "./api-client.ts";
import { describeEngine } from "./engines.ts";
import { newId } from "./events.ts";
import { startConsumer, startEmbedded, startNode, type Env } from "./harness.ts";
import { createPostgresWorld, type PostgresWorld } from "./postgres-world.ts";
import { guest, RawClient } from "./test-client.ts";
import { newAddress, PASSWORD, signUp, Visitor, type Answer } from "./visitor.ts";
import { waitFor } from "./wait-for.ts";

const FOREIGN = { issuer: "https://login.example.org", secret: randomBytes(32).toString("hex") };
const ENV: Env = {
  FRAMES_PER_SECOND: "5000",
  FRAME_BURST: "10000",
  RATE_SIGN_INS: "1000/60",
  AUTH_JWT_ISSUER: FOREIGN.issuer,
  AUTH_JWT_AUDIENCE: "skat",
  AUTH_JWT_SECRET: FOREIGN.secret,
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const codeOf = ({ body }: Answer) => (body["error"] as { code?: string } | undefined)?.code;
const linesOf = ({ text }: Answer) =>
  text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));

interface Account extends Visitor {
  readonly email: string;
  readonly id: string;
  readonly name: string;
}

/** Everybody has a name of their own, so that it is found wherever it is told. */
async function newAccount(url: string): Promise<Account> {
  const name = `ann-${randomBytes(6).toString("hex")}`;
  const visitor = await signUp(url, name);
  const { user } = (await visitor.post("/api/token")).body as { user: { id: string } };
  return Object.assign(visitor, { id: user.id, name });
}

async function joined(url: string, token: string, room: string, after?: string): Promise<RawClient> {
  const client = await RawClient.open(url, token);
  await client.ask({ type: "join", room, ...(after === undefined ? {} : { after }) });
  return client;
}

/** The events of the first page, or of what was missed. */
async function pageOf(
  url: string,
  token: string,
  room: string,
  after?: string,
): Promise<readonly RoomEvent[]> {
  const client = await joined(url, token, room, after);
  const { events } = await client.next("events");
  client.close();
  return events;
}

const namesOf = (events: readonly RoomEvent[]) => [...new Set(events.map(({ user }) => user.name))];
const placesOf = (events: readonly RoomEvent[]) =>
  events.map(({ position, prev, id, body, user }) => [position, prev, id, body, user.id]);
const isEvent = (frame: ServerFrame): frame is RoomEvent => frame.type === "event";

/** `count`: messages of one person. */
function describeOwnData(count: number, urls: () => readonly [string, string]): void {
  let url: string;
  let other: string;
  let owner: Person;
  beforeAll(async () => {
    [url, other] = urls();
    owner = await Person.on(urls(), "Olga");
  });

  it(`is given as one download: ${count} messages in their order and everything else, whole by its last line`, async () => {
    const ann = await newAccount(url);
    const room = await owner.room("public");
    const client = await joined(url, await ann.token(), room);
    const since = client.frames.find((frame) => frame.type === "joined")?.head;
    const saved = () => client.frames.flatMap((frame) => (frame.type === "saved" ? frame.ids : [])).length;
    for (let n = 0; n < count; n++) {
      client.send({ type: "send", room, id: newId(), body: `message ${n}`, since });
      // No more at once than are saved within the log's time limit, however slow the machine is.
      if ((n + 1) % 250 === 0) await waitFor(() => saved() === n + 1, "all to be saved", 30_000);
    }
    const last = await waitFor(() => client.frames.filter(isEvent)[count - 1], "the last message");
    const isStored = async () => {
      const { body } = await ann.get(`/api/rooms/${room}/events?limit=1`);
      return (body as unknown as { events: RoomEvent[] }).events[0]?.id === last.id;
    };
    await waitFor(isStored, "all to be stored", 30_000);
    const answer = await ann.get("/api/me/export");
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    expect(answer.headers.get("content-disposition")).toContain("attachment");
    const lines = linesOf(answer);
    expect(lines.at(-1)).toEqual({ type: "end", records: lines.length - 1 });
    const told = lines.filter(({ type }) => type === "message");
    expect(told.map(({ id }) => id)).toEqual(client.frames.filter(isEvent).map(({ id }) => id));
    expect(lines[0]).toMatchObject({ type: "profile", user: { id: ann.id, name: ann.name } });
    expect(lines.find(({ type }) => type === "room")).toMatchObject({ room: { id: room }, role: "member" });
    expect(answer.text).not.toMatch(/Olga|password|token/i);
    client.close();
  }, 120_000);

  it("is given to guests too, to nobody else, and only so often", async () => {
    const gus = await guest(url, "Gus");
    const visitor = new Visitor(other);
    expect((await visitor.get("/api/me/export")).status).toBe(401);
    const answers: Answer[] = [];
    const isRefused = (answer: Answer) => codeOf(answer) === "rate_limited";
    // Ten; a node that Redis keeps waiting begins to count by itself.
    while (answers.length < 25 && !answers.some(isRefused))
      answers.push(await visitor.get("/api/me/export", bearer(gus.token)));
    expect(answers.findIndex(isRefused)).toBeGreaterThanOrEqual(10);
    expect(answers[0] && linesOf(answers[0])[0]).toEqual({ type: "profile", user: gus.user });
  });

  it("[G13] an account ends after one more proof: its sockets on every node, tokens, sessions and password; its address is free", async () => {
    const ann = await newAccount(url);
    const token = await ann.token();
    const sockets = [
      await RawClient.open(url, token),
      await RawClient.open(other, token),
      await ann.socket(),
    ];
    expect(codeOf(await ann.post("/api/me/delete"))).toBe("not_proved");
    expect(codeOf(await ann.post("/api/me/delete", { password: "not the password" }))).toBe("not_proved");
    const foreign = { origin: "https://evil.example" };
    expect(codeOf(await ann.post("/api/me/delete", { password: PASSWORD }, foreign))).toBe("origin_refused");
    expect((await ann.get("/api/me/export")).status).toBe(200);
    expect((await ann.post("/api/me/delete", { password: PASSWORD })).status).toBe(200);
    const times = await Promise.all(sockets.map(isClosedIn));
    expect(Math.max(...times)).toBeLessThan(EVERYWHERE_MS);
    expect(sockets.map(({ closed }) => closed?.code)).toEqual([4503, 4503, 4503]);
    expect(codeOf(await new Visitor(other).get("/api/rooms", bearer(token)))).toBe("token_revoked");
    expect((await ann.get("/api/rooms")).status).toBe(401);
    const credentials = { email: ann.email, password: PASSWORD };
    expect((await new Visitor(other).post("/api/auth/sign-in/email", credentials)).status).toBe(401);
    const again = await signUp(other, ann.name, ann.email);
    expect((await again.post("/api/token")).body).not.toMatchObject({ user: { id: ann.id } });
  });

  it("what was said stays in its place, and no page, resume, history, list or trail names who said it, on any node", async () => {
    const ann = await newAccount(url);
    const room = await owner.room("public");
    const client = await joined(url, await ann.token(), room);
    const witness = await owner.joined(room);
    for (let n = 0; n < 20; n++) expect(await say(client, room, `message ${n}`)).toBe("sent");
    const heard = await waitFor(() => {
      const events = witness.frames.filter(isEvent);
      return events.length === 20 && events;
    }, "all to be heard");
    expect(namesOf(heard)).toEqual([ann.name]);
    expect((await ann.post("/api/me/delete", { password: PASSWORD })).status).toBe(200);
    const left = await waitFor(
      () => witness.frames.find((frame) => frame.type === "member" && frame.role === null),
      "the room to be told",
    );
    expect(left).toMatchObject({ user: { id: ann.id, name: DELETED_NAME } });

    const isNameless = async (read: () => Promise<readonly RoomEvent[]>) => {
      const events = await waitFor(
        async () => {
          const now = await read();
          return !namesOf(now).includes(ann.name) && now;
        },
        "the node to know",
        EVERYWHERE_MS,
      );
      expect(namesOf(events)).toEqual([DELETED_NAME]);
      return events;
    };
    const first = heard[0]?.position;
    const from = heard.slice(1);
    for (const node of urls()) {
      // The first node has the room in memory; the second reads the stream, where the name still stands.
      expect(placesOf(await isNameless(() => pageOf(node, owner.token, room)))).toEqual(placesOf(heard));
      expect(placesOf(await isNameless(() => pageOf(node, owner.token, room, first)))).toEqual(
        placesOf(from),
      );
      const history = async () => {
        const answer = await new Visitor(node).get(`/api/rooms/${room}/events`, bearer(owner.token));
        return (answer.body as unknown as { events: RoomEvent[] }).events;
      };
      await waitFor(async () => (await history()).length === 20, "all to be stored");
      expect(placesOf(await isNameless(history))).toEqual(placesOf(heard));
      const lists = await Promise.all(
        ["members", "audit"].map((list) =>
          new Visitor(node).get(`/api/rooms/${room}/${list}`, bearer(owner.token)),
        ),
      );
      expect(lists.map(({ status }) => status)).toEqual([200, 200]);
      for (const { text } of lists) expect(text).not.toContain(ann.name);
    }
    expect(await say(witness, room, "afterwards")).toBe("sent");
    witness.close();
  }, 60_000);

  it("a guest ends by its token alone, but not as the only owner of a room with others", async () => {
    const gus = await Person.on(urls(), "Gus");
    const room = await gus.room("public", "Of Gus");
    const client = await owner.joined(room);
    const refused = await gus.ask("POST", "/me/delete", {});
    expect([refused.status, refused.code]).toEqual([409, "last_owner"]);
    expect(JSON.stringify(refused.body)).toContain("Of Gus");
    await gus.do("PATCH", `/rooms/${room}/members/${owner.id}`, { role: "owner" });
    const socket = await gus.connected(1);
    await gus.do("POST", "/me/delete", {});
    expect(await isClosedIn(socket)).toBeLessThan(EVERYWHERE_MS);
    await waitFor(
      async () => (await gus.ask("GET", "/rooms")).code === "token_revoked",
      "every node to refuse",
    );
    client.close();
  });

  it("somebody of another issuer is taken out too, and is refused if it comes again", async () => {
    const token = () =>
      new SignJWT({ name: `eve-${newId()}` })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer(FOREIGN.issuer)
        .setAudience("skat")
        .setSubject(`eve@${url}`)
        .setExpirationTime("1h")
        .sign(new TextEncoder().encode(FOREIGN.secret));
    const visitor = new Visitor(url);
    expect((await visitor.get("/api/rooms", bearer(await token()))).status).toBe(200);
    expect((await visitor.post("/api/me/delete", {}, bearer(await token()))).status).toBe(200);
    expect(codeOf(await visitor.get("/api/rooms", bearer(await token())))).toBe("token_revoked");
  });

  it("nobody else can be called what those are called who are gone", async () => {
    const answers = await Promise.all([
      new Visitor(url).post("/api/guest", { name: DELETED_NAME.toUpperCase() }),
      new Visitor(url).post("/api/auth/sign-up/email", {
        name: ` ${DELETED_NAME} `,
        email: newAddress(),
        password: PASSWORD,
      }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  });
}

it("one's own data is read no faster than it is taken, and no further once the client is gone", async () => {
  let read = 0;
  let isOver = false;
  async function* pages() {
    try {
      for (;;) yield [{ page: ++read }];
    } finally {
      isOver = true;
    }
  }
  const reader = toLines(pages()).getReader();
  const { value } = await reader.read();
  expect(new TextDecoder().decode(value)).toBe('{"page":1}\n');
  await turn();
  expect(read).toBeLessThanOrEqual(3);
  await reader.cancel();
  expect(isOver).toBe(true);
});

describe("one's own data on embedded engines", () => {
  let url: string;
  beforeAll(async () => {
    const embedded = await startEmbedded(ENV);
    url = embedded.url;
    return () => embedded.stop();
  }, 120_000);
  describeOwnData(5_000, () => [url, url]);
});

describeEngine(
  ["redis", "kafka", "postgres"],
  "one's own data over two nodes",
  ({ redisUrl, kafkaBrokers, databaseUrl }) => {
    const stage = `own-${randomBytes(4).toString("hex")}`;
    const schema = `skat_${stage.replaceAll("-", "_")}`;
    const env: Env = {
      ...ENV,
      STAGE: stage,
      AUTH_SECRET: randomBytes(32).toString("hex"),
      REDIS_URL: redisUrl,
      KAFKA_BROKERS: kafkaBrokers,
      DATABASE_URL: databaseUrl,
    };
    let postgres: PostgresWorld;
    let urls: readonly [string, string];
    const closers: (() => Promise<unknown>)[] = [];
    beforeAll(async () => {
      postgres = await createPostgresWorld(databaseUrl);
      postgres.options({ schema }); // dropped at the end
      const [first, second, consumer] = await Promise.all([
        startNode(env),
        startNode(env),
        startConsumer(env),
      ]);
      closers.push(...[first, second, consumer].map((one) => () => one.stop()));
      urls = [first.url, second.url];
    }, 120_000);
    afterAll(async () => {
      for (const close of closers.reverse()) await close();
      await postgres.close();
    }, 60_000);

    describeOwnData(1_250, () => urls);

    it("[G13] who came by GitHub or Google, so without a password, proves itself by a session that is under ten minutes old", async () => {
      const ann = await newAccount(urls[0]);
      // As such a sign-in leaves it; the service itself can't be asked here.
      await postgres.query(
        `UPDATE ${schema}.accounts SET provider_id = 'github', account_id = '1', password = NULL WHERE user_id = $1`,
        [ann.id],
      );
      const age = (minutes: string) =>
        postgres.query(`UPDATE ${schema}.sessions SET created_at = now() - $2::interval WHERE user_id = $1`, [
          ann.id,
          `${minutes} minutes`,
        ]);
      await age("10.5");
      expect(codeOf(await ann.post("/api/me/delete"))).toBe("not_proved");
      expect(codeOf(await ann.post("/api/me/delete", { password: PASSWORD }))).toBe("not_proved");
      await age("9");
      expect((await ann.post("/api/me/delete")).status).toBe(200);
      expect((await ann.get("/api/rooms")).status).toBe(401);
    });

    it("[C1] a record that the log brings after the end is stored under no name, and all names are gone from the store", async () => {
      const ann = await newAccount(urls[0]);
      const room = await owner(urls).then((person) => person.room("public"));
      const client = await joined(urls[0], await ann.token(), room);
      for (let n = 0; n < 3; n++) expect(await say(client, room, `message ${n}`)).toBe("sent");
      const rows = () =>
        postgres.query<{ id: string; name: string }>(
          `SELECT id, user_name AS name FROM ${schema}.events WHERE user_id = $1 ORDER BY position`,
          [ann.id],
        );
      await waitFor(async () => (await rows()).length === 3, "all to be stored");
      const last = await waitFor(() => client.frames.filter(isEvent)[2], "the last message");
      expect((await ann.post("/api/me/delete", { password: PASSWORD })).status).toBe(200);

      const { kafka } = loadConfig({ ...env }, "node");
      if (!kafka) throw new Error("no Kafka is configured");
      const log = new KafkaEventLog({ config: kafka, logger });
      closers.push(() => log.close());
      const late = {
        ...last,
        id: newId(),
        position: String(BigInt(last.position) + 1n),
        prev: last.position,
      };
      for (const event of [last, late])
        await log.append([{ room, value: encodeEvent(event), knownAtMs: runtime.now() }]);
      const stored = await waitFor(
        async () => {
          const now = await rows();
          return now.length === 4 && !now.some(({ name }) => name === ann.name) && now;
        },
        "the record to be stored and the names to be gone",
        30_000,
      );
      expect(stored.map(({ name }) => name)).toEqual(Array.from({ length: 4 }, () => DELETED_NAME));
      expect(stored.at(-1)?.id).toBe(late.id);
    }, 60_000);
  },
);

const owner = (urls: readonly string[]) => Person.on(urls, "Olga");
