/** Writes `.env.example` and the tables of `docs/configuration.md` from the variables' own table. `--help` says how. */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { format } from "prettier";
import { VARIABLE_GROUPS, type Variable } from "../functions/config/variables.ts";

const ENV_EXAMPLE = new URL("../.env.example", import.meta.url);
const PAGE = new URL("../docs/configuration.md", import.meta.url);
const BEGIN = "<!-- variables: written by scripts/configuration.ts -->";
const END = "<!-- end of variables -->";

const GROUPS = Object.entries(VARIABLE_GROUPS) as [string, Readonly<Record<string, Variable>>][];

export function renderEnvExample(): string {
  const head =
    "# Copy to `.env`, and take the `#` from what you change. Unset: what is shown, or said in brackets.\n# What the environment holds already stands.\n";
  const groups = GROUPS.map(([title, variables]) => {
    const lines = Object.entries(variables).map(([name, variable]) => exampleLines(name, variable));
    return `\n# ${title}\n\n${lines.join("\n")}`;
  });
  return head + groups.join("");
}

/** The page with its tables as they should be. */
export function renderPage(page: string): Promise<string> {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page must hold ${BEGIN} and ${END}`);
  const tables = GROUPS.map(([title, variables]) => `### ${title}\n\n${table(variables)}`);
  return format(`${before}${BEGIN}\n\n${tables.join("\n")}\n${END}${after}`, {
    parser: "markdown",
    printWidth: 110,
  });
}

function exampleLines(name: string, { help, default: value, unset, example }: Variable): string {
  const meaning = `# ${help}${unset === undefined ? "" : ` [${unset}]`}`;
  return `${meaning}\n# ${name}=${value ?? example ?? ""}\n`;
}

function table(variables: Readonly<Record<string, Variable>>): string {
  const rows = Object.entries(variables).map(([name, { help, default: value, unset, example }]) => {
    const meaning = example === undefined ? help : `${help} Like \`${example}\`.`;
    const cells = [`\`${name}\``, meaning, value === undefined ? (unset ?? "") : `\`${value}\``];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  });
  return `| Variable | Meaning | Unset |\n| --- | --- | --- |\n${rows.join("")}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  if (process.argv.includes("--help")) {
    console.log(
      "npx tsx scripts/configuration.ts\n\nWrites .env.example and the tables of docs/configuration.md.",
    );
  } else {
    writeFileSync(ENV_EXAMPLE, renderEnvExample());
    writeFileSync(PAGE, await renderPage(readFileSync(PAGE, "utf8")));
  }
}
