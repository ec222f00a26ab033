/**
 * 200,000 inputs and more that nobody has chosen: no crash, no fault of the server's own, no growth, and nobody else disturbed.
 *
 * A run prints its seed; `FUZZ_SEED=<seed> npm test -- fuzz` repeats it.
 */
import fc from "fast-check";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { decodeFrame, refIn } from "../core/decode.ts";
import { accountRoutes } from "../http/accounts.ts";
import { auditRoutes } from "../http/audit-routes.ts";
import { botRoutes } from "../http/bot-routes.ts";
import { chatRoutes } from "../http/chat-routes.ts";
import { moderationRoutes } from "../http/moderation-routes.ts";
import { roomRoutes } from "../http/room-routes.ts";
import { ChatError } from "../lib/errors.ts";
import { DEFAULT_LIMITS, ERRORS, LOBBY, type ErrorCode, type ServerFrame } from "../protocol.ts";
import { heard, say } from "./api-client.ts";
import { isSettled } from "./bad-input-world.ts";
import { FUZZ_ENV } from "./fuzz-env.ts";
import {
  cookie,
  fields,
  frame,
  request,
  tokenLike,
  upgrade,
  value,
  wire,
  type RequestInput,
} from "./fuzz-inputs.ts";
import { openFuzzWorld, type FuzzWorld } from "./fuzz-world.ts";
import { startEmbedded, type Embedded } from "./harness.ts";
import { memoryMib } from "./memory.ts";
import { closeCodeIn, statusIn, upgradeRequest } from "./raw-socket.ts";
import { guest, RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

/** Those that go through engines cost ten times as much as those that are only read, so there are fewer of them. */
const RUNS = {
  decode: 125_000,
  schemas: 50_000,
  session: 10_000,
  tokens: 8_000,
  cookies: 1_500,
  requests: 4_000,
  frames: 3_000,
  upgrades: 500,
  wire: 500,
};
const LEAST = 200_000;
const BATCH = 500;
const TOGETHER = 20;
const GROWTH_MAX_MIB = 150;
const DEADLINE_MS = 600_000;
/** What a client may be told of its own doing; the others are faults of the server, or of its limits. */
const FAULTS = new Set<ErrorCode>(["internal", "unavailable", "rate_limited"]);
const ANSWERS = new Set<ServerFrame["type"]>(["error", "sent", "read", "joined", "left", "welcome", "reset"]);

const seed = inject("fuzzSeed");
const drawn = (numRuns: number) => ({ seed, numRuns });
console.log(`fuzz: FUZZ_SEED=${seed}`);

it("the inputs are enough", () => {
  const total = Object.values(RUNS).reduce((sum, runs) => sum + runs, 0);
  console.log(`fuzz: ${total} inputs`);
  expect(total).toBeGreaterThanOrEqual(LEAST);
});

it(
  "a frame is decoded, or refused with a code of the protocol",
  () => {
    fc.assert(
      fc.property(frame, (input) => {
        refIn(input);
        return isJudged(() => decodeFrame(input, DEFAULT_LIMITS));
      }),
      drawn(RUNS.decode),
    );
  },
  DEADLINE_MS,
);

describe("within the process", () => {
  let world: FuzzWorld;
  let pass: Awaited<ReturnType<FuzzWorld["auth"]["issueGuest"]>>;
  beforeAll(async () => {
    world = await openFuzzWorld();
    pass = await world.auth.issueGuest("Ada");
  }, DEADLINE_MS);
  afterAll(async () => void (await world?.close()), 60_000);

  it(
    "a body or a query is taken by its schema, or refused with the name of a field",
    () => {
      const { node, signIn, limits, routes } = world;
      const all = [
        ...[...chatRoutes(routes), ...roomRoutes(node, limits), ...moderationRoutes(node)],
        ...[...accountRoutes(signIn), ...botRoutes(signIn, limits), ...auditRoutes(node, signIn)],
      ];
      const schemas = all.flatMap(({ body, query }) =>
        [body, query].filter((schema) => schema !== undefined),
      );
      const input = fc.tuple(fc.constantFrom(...schemas), fc.oneof({ weight: 5, arbitrary: fields }, value));
      fc.assert(
        fc.property(input, ([schema, given]) => isJudged(() => schema.safeParse(given))),
        drawn(RUNS.schemas),
      );
    },
    DEADLINE_MS,
  );

  it(
    "[G13] no token but the server's own proves anybody, and none proves somebody else",
    async () => {
      const { auth } = world;
      const verify = (token: string) =>
        auth.verify(token).then(
          ({ user }) => user.id,
          (error: unknown) => (error instanceof ChatError ? error.code : error),
        );
      expect(await verify(pass.token)).toBe(pass.user.id);
      await fc.assert(
        fc.asyncProperty(tokenLike(pass.token), async (token) => {
          expect([pass.user.id, "invalid_token", "token_expired"]).toContain(await verify(token));
        }),
        drawn(RUNS.tokens),
      );
    },
    DEADLINE_MS,
  );

  it(
    "[G13] no cookie but the server's own proves anybody",
    async () => {
      await fc.assert(
        fc.asyncProperty(cookie, async (text) => {
          expect(await world.signIn.principalOf(new Headers({ cookie: text }))).toBeUndefined();
        }),
        drawn(RUNS.cookies),
      );
    },
    DEADLINE_MS,
  );

  it(
    "a session answers every frame as the protocol says",
    async () => {
      const told: ServerFrame[] = [];
      const session = world.node.openSession({
        send: ({ text }) => void told.push(JSON.parse(text) as ServerFrame),
        close: (code, reason) =>
          void told.push({ type: "error", code: "internal", message: `${code} ${reason}`, retriable: false }),
      });
      const settled = (ref: number) =>
        waitFor(
          () => told.some((answer) => "ref" in answer && answer.ref === ref),
          "the frames to be answered",
          60_000,
        );
      session.receive(JSON.stringify({ type: "auth", token: pass.token, ref: -1 }));
      await settled(-1);
      await waitFor(
        () => {
          session.receive(JSON.stringify({ type: "join", room: LOBBY }));
          return told.some((answer) => answer.type === "joined" && !answer.provisional);
        },
        "the room to be settled",
        60_000,
      );
      const inputs = fc.sample(frame, drawn(RUNS.session));
      for (let at = 0; at < inputs.length; at += BATCH) {
        told.length = 0;
        const batch = inputs.slice(at, at + BATCH);
        for (const input of batch) session.receive(input);
        session.receive(JSON.stringify({ type: "leave", room: "nowhere", ref: -2 - at }));
        await settled(-2 - at);
        expect(told.filter(({ type }) => ANSWERS.has(type)).length).toBeGreaterThan(batch.length);
        expect(told.filter(isFault)).toEqual([]);
      }
      session.ended();
      expect(world.faults).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    "a request is answered with its own status and code, below 500",
    async () => {
      const bob = await world.auth.issueGuest("Bob");
      await fc.assert(
        fc.asyncProperty(request([pass.token, bob.token]), async (input) => {
          const response = await world.fetch(toRequest(input));
          expect(response.status).toBeLessThan(500);
          const body = await response.text();
          if (response.status < 400 || input.path.startsWith("/api/auth/") || input.method === "HEAD") return;
          const { error } = JSON.parse(body) as { error: { code: ErrorCode } };
          expect(ERRORS[error.code].status).toBe(response.status);
        }),
        drawn(RUNS.requests),
      );
      expect(world.faults).toEqual([]);
    },
    DEADLINE_MS,
  );
});

describe("over sockets", () => {
  let server: Embedded;
  let speaker: RawClient;
  let listener: RawClient;
  let growthFromMib: number;
  let said = 0;
  beforeAll(async () => {
    server = await startEmbedded(FUZZ_ENV);
    [speaker, listener] = await Promise.all([calm("Ann"), calm("Ben")]);
    const { token } = await guest(server.url, "Cyd");
    await waitFor(() => isSettled(server.url, token, LOBBY), "the room to be settled", 60_000);
    growthFromMib = memoryMib(server.pid);
  }, DEADLINE_MS);
  afterAll(async () => void (await server?.stop()), 60_000);

  async function calm(name: string): Promise<RawClient> {
    const client = await RawClient.open(server.url, (await guest(server.url, name)).token);
    expect(await client.ask({ type: "join", room: LOBBY })).toMatchObject({ type: "joined" });
    return client;
  }

  /** Two others write to each other as if nothing were. */
  async function chats(): Promise<void> {
    const body = `calm ${++said}`;
    expect(await say(speaker, LOBBY, body)).toBe("sent");
    await waitFor(() => heard(listener, body), "the message to reach the other", 20_000);
  }

  async function inTurns<Input>(
    inputs: readonly Input[],
    play: (input: Input) => Promise<void>,
  ): Promise<void> {
    for (let at = 0; at < inputs.length; at += TOGETHER) {
      await Promise.all([...inputs.slice(at, at + TOGETHER).map(play), chats()]);
    }
  }

  it(
    "frames are answered, and others go on talking",
    async () => {
      const client = await calm("Eve");
      const inputs = fc.sample(frame, drawn(RUNS.frames));
      for (let at = 0; at < inputs.length; at += BATCH) {
        client.frames.length = 0;
        for (const input of inputs.slice(at, at + BATCH)) client.socket.send(input);
        await Promise.all([chats(), client.ask({ type: "leave", room: "nowhere" })]);
        expect(client.frames.filter(isFault)).toEqual([]);
      }
      expect(client.closed).toBeUndefined();
      client.close();
    },
    DEADLINE_MS,
  );

  it(
    "upgrades are taken or refused, below 500",
    async () => {
      await inTurns(fc.sample(upgrade, drawn(RUNS.upgrades)), async (input) => {
        const answer = await toss(server.url, input);
        if (answer.length > 0) expect(statusIn(answer), input).toBeLessThan(500);
      });
    },
    DEADLINE_MS,
  );

  it(
    "[RFC 6455] bytes end in a close code that says what was wrong, or in nothing",
    async () => {
      const codes = new Set([undefined, 1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009]);
      await inTurns(fc.sample(wire, drawn(RUNS.wire)), async (input) => {
        const answer = await toss(server.url, Buffer.concat([Buffer.from(upgradeRequest()), input]));
        const code = closeCodeIn(answer);
        const isEchoed = code !== undefined && code >= 3000 && code < 5000;
        expect(codes.has(code) || isEchoed, `${code} after ${input.toString("hex")}`).toBe(true);
      });
    },
    DEADLINE_MS,
  );

  it(
    "afterwards nothing has crashed, grown or been lost",
    async () => {
      await chats();
      const all = Array.from({ length: said }, (_, index) => `calm ${index + 1}`);
      const bodies = listener.frames.flatMap((each) => (each.type === "event" ? [each.body] : []));
      expect(bodies.filter((body) => body.startsWith("calm "))).toEqual(all);
      expect([speaker.closed, listener.closed, server.exitCode()]).toEqual([undefined, undefined, undefined]);
      expect(server.output()).not.toMatch(/a frame failed|a request failed|"level":"(error|fatal)"/);
      expect(memoryMib(server.pid) - growthFromMib).toBeLessThan(GROWTH_MAX_MIB);
    },
    DEADLINE_MS,
  );
});

/** Whether it ends well, or in a refusal that is no fault of ours. */
function isJudged(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    return error instanceof ChatError && !FAULTS.has(error.code) && ERRORS[error.code].status < 500;
  }
}

function isFault(told: ServerFrame): boolean {
  return told.type === "error" && FAULTS.has(told.code);
}

function toRequest({ method, path, headers, body }: RequestInput): Request {
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(`http://127.0.0.1${path}`, { method, headers, ...(hasBody ? { body } : {}) });
}

/** Writes, says that it has nothing more to say, and hears what comes until the server ends the connection too. */
function toss(url: string, bytes: string | Buffer): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    const deadline = setTimeout(
      () => socket.destroy(new Error(`no end after ${bytes.toString("latin1")}`)),
      60_000,
    );
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error); // the server may hang up on us
    });
    socket.on("close", () => {
      clearTimeout(deadline);
      resolve(Buffer.concat(chunks));
    });
  });
}
