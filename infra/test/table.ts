/** What a stage creates, as a table that a person can read: how many of which kind, and their names. */
import type { Stack } from "./stack.ts";

export function tableOf({ made }: Stack): string {
  const kinds = new Map<string, string[]>();
  for (const { type, name } of made) kinds.set(type, [...(kinds.get(type) ?? []), name]);
  const rows = [...kinds].map(([type, names]) => ({ kind: shortOf(type), names: names.sort() }));
  rows.sort((one, other) => one.kind.localeCompare(other.kind));
  const width = Math.max(...rows.map(({ kind }) => kind.length));
  const lines = rows.map(
    ({ kind, names }) => `${String(names.length).padStart(3)}  ${kind.padEnd(width)}  ${names.join(", ")}`,
  );
  return [`${made.length} resources`, "", ...lines, ""].join("\n");
}

/** `aws ecs Service` for `aws:ecs/service:Service`. */
function shortOf(type: string): string {
  const [provider = "", module = "", kind = ""] = type.split(":");
  return [provider, module.split("/")[0], kind].filter((part) => part !== "index").join(" ");
}
