/** The systemd units run what the images run, as the configuration reads it, and systemd understands every line of them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "../functions/config.ts";
import { VARIABLES } from "../functions/config/variables.ts";
import { readImage } from "./dockerfile.ts";

const docs = join(import.meta.dirname, "../docs");
const units = [
  ["node", readFileSync(join(docs, "systemd/skat-node@.service"), "utf8")],
  ["consumer", readFileSync(join(docs, "systemd/skat-consumer.service"), "utf8")],
] as const;
const guide = readFileSync(join(docs, "one-machine.md"), "utf8");

function valueOf(unit: string, key: string): string {
  return new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1] ?? "";
}

function readAssignments(lines: string): Record<string, string> {
  const pairs = [...lines.matchAll(/(?:^|\s)([A-Z_]+)=(\S+)/g)].map(([, name = "", value = ""]) => [
    name,
    value,
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** As a person would fill it in. */
const environmentFile = readAssignments(
  (/skat\.env <<END\n([\s\S]*?)\nEND/.exec(guide)?.[1] ?? "")
    .replace("$(openssl rand -hex 32)", "0".repeat(64))
    .replace("<password>", "p4ssw0rd"),
);

/** Of a unit: its own variables, an instance's port, and those of the file. */
function environmentOf(unit: string): Record<string, string> {
  return { ...environmentFile, ...readAssignments(valueOf(unit, "Environment").replace("%i", "3000")) };
}

describe.each(units)("the unit of the %s", (target, unit) => {
  it("runs what the image runs, from its tree", () => {
    const [, ...args] = valueOf(unit, "ExecStart").split(" ");
    expect(args).toEqual(readImage(target).command.slice(1));
    expect(valueOf(unit, "WorkingDirectory")).toBe(`/opt/skat/dist/image/${target}`);
  });

  it("sets only what the configuration reads, which takes it", () => {
    const environment = environmentOf(unit);
    for (const name of Object.keys(environment)) expect(Object.keys(VARIABLES)).toContain(name);
    expect(loadConfig(environment, target)).toMatchObject({
      stage: "production",
      isProduction: true,
      http: { host: "127.0.0.1", origins: ["https://chat.example.org"] },
    });
  });

  it("gives it time to end, and does not give up starting it", () => {
    const { drainMs } = loadConfig(environmentOf(unit), target);
    expect(Number(valueOf(unit, "TimeoutStopSec")) * 1000).toBeGreaterThan(drainMs + 5000);
    expect([valueOf(unit, "Restart"), valueOf(unit, "StartLimitIntervalSec")]).toEqual(["always", "0"]);
  });

  it("gives it no rights", () => {
    const keys = ["DynamicUser", "ProtectSystem", "NoNewPrivileges", "CapabilityBoundingSet"];
    expect(keys.map((key) => valueOf(unit, key))).toEqual(["yes", "strict", "yes", ""]);
    expect(unit).toMatch(/^CapabilityBoundingSet=$/m);
  });

  it("is beside its consumer or nodes at ports of their own", () => {
    const ports = [...guide.matchAll(/skat-node@(\d+)/g)].map(([, port]) => port);
    expect(new Set(ports)).toEqual(new Set(["3000", "3001"]));
    expect(ports).not.toContain(String(loadConfig(environmentOf(units[1][1]), "consumer").consumer.port));
  });
});

const canAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe.skipIf(!canAnalyze)(
  `systemd-analyze${canAnalyze ? "" : " (left out: it is not on this machine)"}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), "skat-units-"));
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    const complaints = (name: string, unit: string) => {
      const file = join(dir, name);
      writeFileSync(file, unit.replace("/usr/bin/node", process.execPath));
      return spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" }).stderr;
    };

    it.each(units)("has no complaint about the unit of the %s", (target, unit) => {
      expect(complaints(target === "node" ? "skat-node@3000.service" : "skat-consumer.service", unit)).toBe(
        "",
      );
    });

    it("has one about a key that there is not", () => {
      expect(complaints("wrong.service", units[1][1].replace("Restart=", "Restrat="))).toContain("Restrat");
    });
  },
);
