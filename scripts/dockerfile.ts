/** What the Dockerfile says of each stage, for the tests that hold it and those that start what it starts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DockerfileParser, type Instruction } from "dockerfile-ast";

export interface Stage {
  readonly name: string;
  /** An image, or the name of an earlier stage. */
  readonly from: string;
  readonly instructions: readonly { readonly keyword: string; readonly text: string }[];
}

/** A stage together with those that it builds on. */
export interface Image {
  readonly user: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly health: readonly string[];
}

const root = join(import.meta.dirname, "..");

export const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");

export function readStages(text: string = dockerfile): Stage[] {
  const stages: { name: string; from: string; instructions: { keyword: string; text: string }[] }[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const [keyword, content] = [instruction.getKeyword(), textOf(instruction)];
    const [, from = "", name = ""] = /(?:--\S+ +)?(\S+)(?: +AS +(\S+))?/i.exec(content) ?? [];
    if (keyword === "FROM") stages.push({ name, from, instructions: [] });
    else stages.at(-1)?.instructions.push({ keyword, text: content });
  }
  return stages;
}

function textOf(instruction: Instruction): string {
  return instruction
    .getArguments()
    .map((argument) => argument.getValue())
    .join(" ");
}

/** The stage, and what it is made of, from the base upwards. */
export function lineage(name: string, stages: readonly Stage[] = readStages()): Stage[] {
  const stage = stages.find((each) => each.name === name);
  return stage === undefined ? [] : [...lineage(stage.from, stages), stage];
}

export function readImage(target: string): Image {
  const all = lineage(target).flatMap(({ instructions }) => instructions);
  const last = (keyword: string) => all.findLast((each) => each.keyword === keyword)?.text ?? "";
  const settings = all.filter(({ keyword }) => keyword === "ENV").map(({ text }) => text.split("="));
  return {
    user: last("USER"),
    workdir: last("WORKDIR"),
    env: Object.fromEntries(settings) as Record<string, string>,
    command: JSON.parse(last("CMD")) as string[],
    health: JSON.parse(last("HEALTHCHECK").replace(/^.*?CMD +/, "")) as string[],
  };
}
