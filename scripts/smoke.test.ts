/** The smoke test tells a deployment that works from one that does not, and says which part of it fails. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, request, type Server } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../functions/http/server.ts";
import { guest } from "../functions/test/test-client.ts";
import { describeEngine } from "../functions/test/engines.ts";
import { startEmbedded, startNode, type Embedded } from "../functions/test/harness.ts";
import { createPostgresWorld, type PostgresWorld } from "../functions/test/postgres-world.ts";
import { freePort } from "./engines/ports.ts";

function smoke(...args: string[]): Promise<{ code: number; output: string }> {
  const command = ["--import", "tsx", join(import.meta.dirname, "smoke.ts"), ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: `${stdout}${stderr}` }),
    );
  });
}

/** A load balancer in front of `url` that answers `path` itself, as one with a wrong rule would. */
function misroute(url: string, path: RegExp, status: number, body: string): Server {
  const { hostname, port } = new URL(url);
  const server = createServer((req, res) => {
    if (path.test(req.url ?? ""))
      return void res.writeHead(status, { "content-type": "application/json" }).end(body);
    const { method, headers } = req;
    const onward = request({ hostname, port, path: req.url, method, headers }, (answer) =>
      answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers)),
    );
    req.pipe(onward);
  });
  return server.on("upgrade", (req, socket, head) => {
    const lines = Object.entries(req.headers).map(([name, value]) => `${name}: ${String(value)}`);
    const onward = connect(Number(port), hostname);
    onward.write(`GET ${req.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
}

describe("npm run smoke", () => {
  let embedded: Embedded;
  let server: Server | undefined;
  beforeAll(async () => void (embedded = await startEmbedded()), 120_000);
  afterAll(async () => void (await embedded?.stop()));
  afterEach(() => void server?.close());

  const behind = async (path: RegExp, status: number, body: string) => {
    server = misroute(embedded.url, path, status, body);
    return `http://127.0.0.1:${await listen(server, "127.0.0.1", 0)}`;
  };

  it("holds a whole conversation", async () => {
    const { code, output } = await smoke(embedded.url);
    expect(output).toMatch(
      /page .*guests .*room .*connect .*join .*send .*receive .*save .*store .*All is well/s,
    );
    expect(code).toBe(0);
  });

  it.each([
    ["the page is not there", /^\/$/, 404, "{}", /FAILED +page: 404/],
    ["the API is not there", /^\/api\/guest/, 502, "bad gateway", /FAILED +guests: .*502 bad gateway/],
    ["a rule is in the way", /^\/api\/rooms$/, 403, "no", /FAILED +room: GET \/api\/rooms answered 403 no/],
    [
      "nothing is stored",
      /\/events/,
      200,
      '{"events":[]}',
      /ok +save.*FAILED +store: no answer within 1500 ms/s,
    ],
  ])("ends with 1 when %s", async (_, path, status, body, expected) => {
    const { code, output } = await smoke(await behind(path, status, body), "--timeout-ms", "1500");
    expect(output).toMatch(expected);
    expect(code).toBe(1);
  });

  it("uses one room for all", async () => {
    await smoke(embedded.url, "--api-only");
    const { token } = await guest(embedded.url, "visitor");
    const response = await fetch(`${embedded.url}/api/rooms`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { rooms } = (await response.json()) as { rooms: { name: string }[] };
    expect(rooms.filter(({ name }) => name === "Smoke test")).toHaveLength(1);
  });

  it("ends with 1 when nobody is there", async () => {
    const { code, output } = await smoke(`http://127.0.0.1:${await freePort()}`);
    expect(output).toMatch(/FAILED +page: fetch failed: .*ECONNREFUSED/);
    expect(code).toBe(1);
  });

  it.each([
    [[]],
    [["chat.example.org"]],
    [["http://a", "http://b"]],
    [["http://a", "--timeout-ms", "soon"]],
    [["--what"]],
  ])("ends with 2 and the help when given %j", async (args) => {
    const { code, output } = await smoke(...args);
    expect(output).toContain("npm run smoke -- <url>");
    expect(code).toBe(2);
  });
});

describeEngine(["redis", "kafka", "postgres"], "npm run smoke, as a page", (engines) => {
  const STAGE = `smoke-${randomBytes(4).toString("hex")}`;
  let postgres: PostgresWorld;
  beforeAll(async () => void (postgres = await createPostgresWorld(engines.databaseUrl)));
  afterAll(() => postgres?.close());

  it("is refused where pages of the address are: ALLOWED_ORIGINS is wrong", async () => {
    postgres.options({ schema: `skat_${STAGE.replace("-", "_")}` }); // it is dropped at the end
    const node = await startNode({
      STAGE,
      AUTH_SECRET: randomBytes(32).toString("hex"),
      ALLOWED_ORIGINS: "https://chat.example.org",
      REDIS_URL: engines.redisUrl,
      KAFKA_BROKERS: engines.kafkaBrokers,
      DATABASE_URL: engines.databaseUrl,
    });
    const { code, output } = await smoke(node.url, "--api-only");
    await node.stop();
    expect(output).toMatch(/FAILED +connect: the upgrade was refused with 403 origin_refused/);
    expect(code).toBe(1);
  });
});
