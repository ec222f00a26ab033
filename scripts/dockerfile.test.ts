/** The Dockerfile keeps its promises: without rights, reproducible, small, for every platform, and healthy or not. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";
import { describe, expect, it } from "vitest";
import { VARIABLES } from "../functions/config/variables.ts";
import { dockerfile, lineage, readImage, readStages } from "./dockerfile.ts";
import { targets, type Target } from "./image-tree.ts";
import { describeLinter } from "./lint.ts";

const root = join(import.meta.dirname, "..");
const names = Object.keys(targets) as Target[];
const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  workspaces: string[];
};
const tree = readStages().find(({ name }) => name === "tree");
const said = (keyword: string, stage = tree) =>
  stage?.instructions.filter((each) => each.keyword === keyword).map(({ text }) => text) ?? [];

describe("the Dockerfile", () => {
  it("has a stage for every image", () => {
    expect(readStages().map(({ name }) => name)).toEqual(["tree", "runtime", ...names]);
  });

  it("installs from the lockfile, without scripts, before the sources come in", () => {
    const texts = tree?.instructions.map(({ text }) => text) ?? [];
    const install = texts.indexOf("npm ci --ignore-scripts");
    expect(texts.indexOf("package.json package-lock.json .npmrc ./")).toBeGreaterThan(0);
    expect(install).toBeGreaterThan(texts.indexOf("package.json package-lock.json .npmrc ./"));
    expect(texts.indexOf(". .")).toBeGreaterThan(install);
  });

  it("knows every workspace, as `npm ci` must", () => {
    for (const folder of workspaces) expect(said("COPY")).toContain(`${folder}/package.json ${folder}/`);
  });

  it("makes the tree by the command that everybody has", () => {
    expect(said("RUN").at(-1)).toBe("npm run image:tree");
  });

  it("is built once for all platforms, and needs no emulator", () => {
    expect(dockerfile).toMatch(/^FROM --platform=\$BUILDPLATFORM .* AS tree$/m);
    for (const name of names) expect(lineage(name).flatMap((stage) => said("RUN", stage))).toEqual([]);
  });

  it("takes a base image of a fixed version", () => {
    expect(dockerfile).toMatch(/^ARG NODE_VERSION=\d+\.\d+\.\d+$/m);
    for (const { from } of [tree, lineage("node")[0]].flatMap((stage) => stage ?? []))
      expect(from).toBe("node:${NODE_VERSION}-bookworm-slim");
  });

  it.each(names)("%s: takes its tree and nothing else into the image", (name) => {
    expect(lineage(name).flatMap((stage) => said("COPY", stage))).toEqual([`/src/dist/image/${name} ./`]);
    expect(dockerfile).toContain(`COPY --from=tree /src/dist/image/${name} ./`);
  });

  it.each(names)("%s: has no rights, by a number that platforms can check", (name) => {
    expect(readImage(name).user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it.each(names)("%s: its program gets the signals itself", (name) => {
    expect(readImage(name).command).toEqual(["node", `functions/${name}.mjs`]);
    expect(lineage(name).flatMap((stage) => said("ENTRYPOINT", stage))).toEqual([]);
  });

  it.each(names)("%s: exposes and asks the port that it sets", (name) => {
    const { env, health } = readImage(name);
    const [port = "", value] = Object.entries(env).find(([key]) => key.endsWith("PORT")) ?? [];
    expect(lineage(name).flatMap((stage) => said("EXPOSE", stage))).toEqual([value]);
    expect(health.at(-1)).toContain(`127.0.0.1:\${process.env.${port}}/healthz`);
  });

  it.each(names)("%s: sets only what the configuration reads, and no secret", (name) => {
    for (const key of Object.keys(readImage(name).env)) {
      expect(Object.keys(VARIABLES)).toContain(key);
      expect(VARIABLES[key]?.secret).toBeUndefined();
    }
  });
});

describe("the build context", () => {
  const ignored = dockerignore.default().add(readFileSync(join(root, ".dockerignore"), "utf8"));

  it("has every file that is copied before the installation", () => {
    const sources = said("COPY")
      .flatMap((text) => text.split(" ").slice(0, -1))
      .filter((file) => file !== ".");
    expect(sources.length).toBeGreaterThan(workspaces.length);
    for (const file of sources)
      expect([file, existsSync(join(root, file)), ignored.ignores(file)]).toEqual([file, true, false]);
  });

  it("has what it names, and leaves out all else", () => {
    const lines = readFileSync(join(root, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => /^[^#\s]/.test(line));
    expect(lines[0]).toBe("*");
    for (const line of lines.filter((each) => each.startsWith("!")))
      expect(existsSync(join(root, line.slice(1)))).toBe(true);
    expect(lines).toEqual(expect.arrayContaining(["**/node_modules", "**/.env*", "**/dist", ".sst"]));
  });
});

describeLinter("hadolint", "hadolint", (lint) => {
  it("has no complaint about the Dockerfile", () => {
    expect(lint(["--no-color", "-"], dockerfile)).toBe("");
  });

  it("has one about a base image without a version", () => {
    expect(lint(["--no-color", "-"], "FROM node\n")).toContain("DL3006");
  });
});
