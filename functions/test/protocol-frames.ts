/** The frames as `docs/protocol.md` writes them down, and whether one that was seen on the wire is among them. */
import { readFileSync } from "node:fs";

export interface FrameShape {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Written with its `type` among the fields: in the first table those are the client's own. */
  readonly isSpelledOut: boolean;
}

const text = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

/** Every frame that a section's table spells out, by type: `joined {ref, room, …}` or `{type:"join", ref, …}`. */
export function framesIn(heading: string): ReadonlyMap<string, FrameShape> {
  const shapes = new Map<string, FrameShape>();
  for (const [, name, fields = ""] of tableOf(heading).matchAll(/`(\w*) ?\{((?:[^{}`]|\{[^{}]*\})+)\}`/g)) {
    const names = fields.replace(/:\{[^{}]*\}|\[\]/g, "").split(/, */);
    const type = name || (/^type:"(\w+)"$/.exec(names.shift() ?? "")?.[1] ?? "");
    const plain = names.map((field) => field.replace(/:.*$/, ""));
    shapes.set(type, {
      isSpelledOut: name === "",
      // A `ref` is echoed where the client gave one.
      required: plain.filter((field) => !field.endsWith("?") && field !== "ref"),
      optional: ["ref", ...plain.filter((field) => field.endsWith("?")).map((field) => field.slice(0, -1))],
    });
  }
  return shapes;
}

/** What is wrong with a frame, as the document has it; nothing when it is as written. */
export function deviations(frame: object, shapes: ReadonlyMap<string, FrameShape>): string[] {
  const { type, ...fields } = frame as { type: string };
  const shape = shapes.get(type);
  if (!shape) return [`${type} is not written down`];
  const names = Object.keys(fields);
  const missing = shape.required.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => ![...shape.required, ...shape.optional].includes(name));
  return [...missing.map((name) => `${type} lacks ${name}`), ...unknown.map((name) => `${type} has ${name}`)];
}

function tableOf(heading: string): string {
  const [, section = ""] = text.split(`## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return own
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .join("\n");
}
