/** The log: its lines, its levels, and what never gets into it. */
import { describe, expect, it } from "vitest";
import { createLogger, silentLogger, type LogFields, type LogLevel } from "../lib/logger.ts";
import { hideSecrets, redact } from "../lib/redact.ts";
import { ChatError } from "../lib/errors.ts";

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";

function aLog(level: LogLevel = "debug", pretty = false) {
  const lines: string[] = [];
  const log = createLogger({ level, pretty, destination: { write: (line) => void lines.push(line) } });
  return { log, lines, read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("the log", () => {
  it("is JSON, one line each, with time, level, message, and the fields of its parents", () => {
    const { log, lines, read } = aLog();
    log.child({ node: "n1" }).child({ session: "s1" }).warn("slow\nclient", { bytes: 7 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    const [{ time, ...line } = {}] = read();
    expect(Date.parse(String(time))).toBeGreaterThan(Date.now() - 60_000);
    expect(line).toEqual({ level: "warn", node: "n1", session: "s1", bytes: 7, msg: "slow\nclient" });
  });

  it.each<[LogLevel, string[]]>([
    ["debug", ["debug", "info", "warn", "error", "fatal"]],
    ["warn", ["warn", "error", "fatal"]],
    ["silent", []],
  ])("at level %s writes %j", (level, written) => {
    const { log, read } = aLog(level);
    for (const each of ["debug", "info", "warn", "error", "fatal"] as const) log[each]("x");
    expect(read().map((line) => line["level"])).toEqual(written);
  });

  it("the silent one accepts everything", () => {
    expect(() => silentLogger.child({ node: "n" }).fatal("x", { err: new Error("y") })).not.toThrow();
  });

  it("tells an error with stack, code, causes and parts", () => {
    const { log, read } = aLog();
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    log.error("x", { err: new ChatError("unavailable", "no answer", { cause }) });
    log.error("y", { err: new AggregateError([cause], "all failed") });
    expect(read()[0]?.["err"]).toMatchObject({
      type: "ChatError",
      code: "unavailable",
      message: "no answer",
      stack: expect.stringContaining("logger.test.ts"),
      cause: { code: "ECONNREFUSED", message: "refused" },
    });
    expect(read()[1]?.["err"]).toMatchObject({ errors: [{ message: "refused" }] });
  });

  it.each<[string, LogFields]>([
    ["a body", { frame: { type: "send", body: "hunter2" } }],
    ["a body deep in lists", { batches: [[{ event: { body: "hunter2" } }]] }],
    ["a token", { token: "hunter2" }],
    [
      "headers",
      { headers: { Authorization: "Bearer hunter2", cookie: "a=hunter2", "Set-Cookie": "hunter2" } },
    ],
    ["a Kafka record", { record: { key: "pr-1/lobby", value: "hunter2" } }],
    ["a stream entry", { entry: { json: "hunter2" } }],
    ["a command's arguments", { err: Object.assign(new Error("x"), { command: { args: ["hunter2"] } }) }],
    ["a row in an error's detail", { err: Object.assign(new Error("x"), { detail: "row (hunter2)" }) }],
    [
      "a cause's properties",
      { err: new Error("x", { cause: Object.assign(new Error("y"), { sql: "hunter2" }) }) },
    ],
    ["a password in a URL", { url: "rediss://user:hunter2@host:6379" }],
    ["a password in an error", { err: new Error("connect postgres://u:hunter2@h/db failed") }],
    ["bytes", { data: Buffer.from("hunter2") }],
  ])("never holds %s", (_, fields) => {
    const { log, lines } = aLog();
    log.info("x", fields);
    log.child(fields).info("y");
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toContain("hunter2");
    expect(lines.join("")).not.toContain(Buffer.from("hunter2").toString("base64"));
  });

  it("never holds a signed token, whatever names it", () => {
    const { log, lines } = aLog();
    log.info("x", { path: `/ws?access=${TOKEN}`, err: new Error(`bad ${TOKEN}`) });
    expect(lines[0]).not.toContain("c2lnbmF0dXJl");
  });

  it("survives what JSON doesn't: cycles, big numbers, depth", () => {
    const { log, read } = aLog();
    const cycle: Record<string, unknown> = { offset: 2n ** 63n };
    cycle["self"] = cycle;
    log.info("x", { cycle, nothing: undefined, at: new Date(0) });
    expect(read()[0]).toMatchObject({
      cycle: { offset: "9223372036854775808" },
      at: "1970-01-01T00:00:00.000Z",
    });
  });

  it("for a person is one readable line, with errors below", () => {
    const { log, lines } = aLog("debug", true);
    log.info("listening", { url: "http://127.0.0.1:3000", tries: 2 });
    log.error("failed", { err: new Error("outer", { cause: new Error("inner") }) });
    const plain = lines.map((line) => line.replace(/\u001b\[\d+m/g, ""));
    expect(plain[0]).toMatch(/^\d\d:\d\d:\d\d info  listening url=http:\/\/127\.0\.0\.1:3000 tries=2\n$/);
    expect(plain[1]).toMatch(/error failed\n {2}Error: outer\n[^]*Error: inner/);
  });
});

describe("what is hidden in a text", () => {
  it.each([
    ["redis://:pw@h:1", "redis://:***@h:1"],
    ["valkeys://u:p:w@h:1/0 and postgres://a:b@c/d", "valkeys://u:***@h:1/0 and postgres://a:***@c/d"],
    ["postgres://u:p@ss@h/db", "postgres://u:***@h/db"],
    ["http://127.0.0.1:3000/a@b", "http://127.0.0.1:3000/a@b"],
    ["at 10:30, a@b.c", "at 10:30, a@b.c"],
    [`Bearer ${TOKEN}.`, "Bearer [hidden]."],
  ])("%s → %s", (text, hidden) => {
    expect(hideSecrets(text)).toBe(hidden);
  });

  it("leaves plain values as they are", () => {
    expect(redact({ a: [1, true, null, "x"], b: { c: undefined } })).toEqual({
      a: [1, true, null, "x"],
      b: {},
    });
  });
});
