/** Writes `docs/sdk.md` from the sources of the package `@skat/client`: `npm run docs -w @skat/client`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { emitTypes } from "./build.ts";

const PAGE = fileURLToPath(new URL("../../docs/sdk.md", import.meta.url));
const EXAMPLE = fileURLToPath(new URL("./example.ts", import.meta.url));
const INDEX = "web/sdk/src/index.d.ts";
/** Has a page of its own. */
const PROTOCOL = "functions/protocol.d.ts";

/** The page as it should be. */
export function renderSdkPage(): string {
  const dir = mkdtempSync(join(tmpdir(), "skat-sdk-"));
  try {
    emitTypes(dir);
    const ours = exportsOf(read(dir, INDEX)).filter(({ file }) => !file.endsWith(PROTOCOL));
    const declarations = ours.map(({ file, name }) =>
      declarationOf(name, read(dir, join(INDEX, "..", file))),
    );
    return page(readFileSync(EXAMPLE, "utf8"), declarations);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function page(example: string, declarations: readonly Declaration[]): string {
  const head = `# The SDK

<!-- Written by web/sdk/docs.ts from the sources: don't edit. -->

\`@skat/client\` speaks [the protocol](protocol.md) for browsers and Node ≥ 20, without a dependency. It follows the rules K1–K3:
a room is shown without holes or doubles, and what is written is kept and sent until it is saved.
\`npm run build -w @skat/client\` makes the package in \`web/sdk/dist/\`.

\`\`\`ts
${example.trim()}
\`\`\`

All that \`@skat/client\` exports, beside types and constants of [the wire](../functions/protocol.ts):
`;
  return head + declarations.map(({ name, text }) => `\n## ${name}\n\n\`\`\`ts\n${text}\n\`\`\`\n`).join("");
}

interface Declaration {
  readonly name: string;
  readonly text: string;
}

function read(dir: string, path: string): string {
  return readFileSync(join(dir, path), "utf8");
}

/** What a surface names, with the file that declares it. */
function exportsOf(surface: string): { file: string; name: string }[] {
  const lists = surface.matchAll(/export (?:type )?\{([^}]*)\} from "([^"]+)"/g);
  return [...lists].flatMap(([, names = "", file = ""]) =>
    names
      .split(",")
      .map((name) => name.replace("type ", "").trim())
      .filter((name) => name !== "")
      .map((name) => ({ name, file: file.replace(/\.[jt]s$/, ".d.ts") })),
  );
}

/** A declaration with its comment, without what is private. */
function declarationOf(name: string, source: string): Declaration {
  const start = new RegExp(`^export (?:declare )?(?:class|interface|type|function|const) ${name}\\b`, "m");
  const at = start.exec(source)?.index;
  if (at === undefined) throw new Error(`${name} is exported and nowhere declared.`);
  const length =
    /[;}]\n(?=export |\/\*\*|declare |$(?![\s\S]))/.exec(source.slice(at))?.index ?? source.length;
  const text = source.slice(at, at + length + 1);
  const shown = text
    .replace("export declare ", "export ")
    .replaceAll(/\n {4}(?:#private|constructor\(.*\));/g, "");
  return { name, text: `${commentBefore(source.slice(0, at))}${shown}` };
}

function commentBefore(source: string): string {
  return /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(source)?.[0] ?? "";
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(PAGE, renderSdkPage());
