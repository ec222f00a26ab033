/** Reads the variables from an environment, and gathers every fault before any is told. */
import { VARIABLES, type Settings, type VariableName } from "./variables.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Fault {
  readonly name: string;
  /** As it may be printed: secrets are hidden. Absent where the variable is not set. */
  readonly shown?: string;
  /** What is wrong and what would be right. */
  readonly message: string;
}

/** The environment can't be used as it is. Its message is made to be printed alone. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    const lines = faults.map(({ name, shown, message }) =>
      shown === undefined ? `  ${name} ${message}.` : `  ${name}=${shown} ${message}.`,
    );
    const head = faults.length === 1 ? "A setting is wrong" : `${faults.length} settings are wrong`;
    super(`${head}:\n${lines.join("\n")}`);
    this.faults = faults;
  }
}

const SHOWN_LENGTH_MAX = 60;

export class Source {
  readonly #texts = new Map<string, string>();
  /** Names of the links that stand in for a variable. */
  readonly #links = new Map<string, string>();
  readonly #faults: Fault[] = [];

  constructor(env: Environment) {
    for (const name of Object.keys(VARIABLES)) this.#find(name, env);
  }

  /** Trimmed; undefined when not set, or empty. */
  text(name: string): string | undefined {
    return this.#texts.get(name);
  }

  isSet(name: VariableName): boolean {
    return this.#texts.has(name);
  }

  /** One fault per variable: a value that can't be read needn't also be told to fit no other. */
  addFault(name: string, message: string): void {
    const link = this.#links.get(name);
    const title = link === undefined ? name : `${name} (from ${link})`;
    if (this.#faults.some((fault) => fault.name === title)) return;
    const shown = this.#shown(name);
    this.#faults.push({ name: title, ...(shown === undefined ? {} : { shown }), message });
  }

  throwFaults(): void {
    if (this.#faults.length > 0) throw new ConfigError(this.#faults);
  }

  #find(name: string, env: Environment): void {
    const text = env[name]?.trim() ?? "";
    if (text !== "") this.#texts.set(name, text);
    else this.#findLink(name, env);
  }

  #findLink(name: string, env: Environment): void {
    const [link, property] = linkOf(name);
    const json = env[link] ?? "";
    if (json === "") return;
    this.#links.set(name, link);
    const value = readProperty(json, property);
    if (value === undefined) this.addFault(name, `is no link of SST: its JSON has no text \`${property}\``);
    else if (value.trim() !== "") this.#texts.set(name, value.trim());
  }

  #shown(name: string): string | undefined {
    const text = this.#texts.get(name);
    if (text === undefined) return undefined;
    if (VARIABLES[name]?.secret) return `${/^[a-z]+:\/\//.exec(text)?.[0] ?? ""}***`;
    const short = text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
    // A password that got into a variable that should have none.
    return JSON.stringify(short.replace(/[^\s,/]*@/g, "***@"));
  }
}

/** Values that can't be read are undefined here, with a fault in `source`. */
export function readSettings(source: Source): Settings {
  const entries = Object.entries(VARIABLES).map(([name, { schema, default: unset }]) => {
    const text = source.text(name) ?? unset;
    if (text === undefined) return [name, undefined] as const;
    const result = schema.safeParse(text);
    if (!result.success) source.addFault(name, result.error.issues[0]?.message ?? "can't be read");
    return [name, result.data] as const;
  });
  return Object.fromEntries(entries) as unknown as Settings;
}

/** The link of SST that stands in for a variable, and its property: `SST_RESOURCE_RedisUrl` for `REDIS_URL`. */
export function linkOf(name: string): readonly [link: string, property: string] {
  if (name === "STAGE") return ["SST_RESOURCE_App", "stage"];
  const words = name.split("_").map((word) => word.slice(0, 1) + word.slice(1).toLowerCase());
  return [`SST_RESOURCE_${words.join("")}`, "value"];
}

function readProperty(json: string, property: string): string | undefined {
  try {
    const link = JSON.parse(json) as Readonly<Record<string, unknown>> | null;
    const value = link?.[property];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
