/** Which pages may talk to a node. */
import { describe, expect, it } from "vitest";
import { isOriginAllowed, type AllowedOrigins } from "../lib/origins.ts";

const LISTED = ["https://chat.example.org"];

describe("a page's origin", () => {
  it.each<[AllowedOrigins, string | undefined, string | undefined, boolean]>([
    ["local", undefined, "h:3000", true],
    ["local", "http://localhost:5173", "localhost:3000", true],
    ["local", "http://chat.localhost:3000", "localhost:3000", true],
    ["local", "http://127.0.0.1:3000", "127.0.0.1:3000", true],
    ["local", "http://[::1]:3000", "[::1]:3000", true],
    ["local", "http://192.168.1.20:3000", "192.168.1.20:3000", true],
    ["local", "http://[fd00::5]:3000", "[fd00::5]:3000", true],
    ["local", "http://192.168.1.21:3000", "192.168.1.20:3000", false],
    ["local", "http://192.168.1.20:4000", "192.168.1.20:3000", false],
    ["local", "https://evil.example", "localhost:3000", false],
    ["local", "http://rebound.example:3000", "rebound.example:3000", false],
    ["local", "http://localhost.evil.example", "localhost:3000", false],
    ["local", "http://127.0.0.1.evil.example", "localhost:3000", false],
    ["local", "http://localhost@evil.example", "localhost:3000", false],
    ["local", "http://evil-localhost", "localhost:3000", false],
    ["local", "null", "localhost:3000", false],
    ["local", "", "localhost:3000", false],
    [LISTED, "https://chat.example.org", "node:3000", true],
    [LISTED, undefined, "node:3000", true],
    [LISTED, "http://chat.example.org", "chat.example.org", false],
    [LISTED, "https://chat.example.org:8443", "node:3000", false],
    [LISTED, "https://chat.example.org.evil.example", "node:3000", false],
    [LISTED, "http://localhost:3000", "localhost:3000", false],
    [[], "https://chat.example.org", "chat.example.org", false],
  ])("with %j allowed, %s asking %s: %s", (allowed, origin, host, isAllowed) => {
    expect(isOriginAllowed(allowed, origin, host)).toBe(isAllowed);
  });
});
