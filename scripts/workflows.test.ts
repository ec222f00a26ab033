/** The workflows ask for no right they don't need, run no code they don't know, and never leave a stage half deployed. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { VARIABLES } from "../functions/config/variables.ts";
import { dockerfile } from "./dockerfile.ts";
import { describeLinter } from "./lint.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly if?: string;
  readonly uses?: string;
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: Concurrency;
  readonly environment?: unknown;
  readonly strategy?: { readonly matrix: Readonly<Record<string, unknown>> };
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

interface Concurrency {
  readonly group: string;
  readonly "cancel-in-progress": boolean;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency?: Concurrency;
  readonly defaults: { readonly run: { readonly shell: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

const github = join(import.meta.dirname, "../.github");
const files = readdirSync(join(github, "workflows"));
const textOf = (file: string) => readFileSync(join(github, "workflows", file), "utf8");
const workflowOf = (file: string) => parse(textOf(file)) as Workflow;
const action = readFileSync(join(github, "actions/deploy-tools/action.yml"), "utf8");
const jobs = files.flatMap((file) =>
  Object.entries(workflowOf(file).jobs).map(([name, job]) => [`${file} ${name}`, job] as const),
);
const stepsOf = (job: Job): readonly Step[] => job.steps ?? [];

describe("the workflows", () => {
  it("are these", () => {
    expect(files.toSorted()).toEqual([
      "check.yml",
      "preview.yml",
      "production.yml",
      "remove.yml",
      "sweep.yml",
    ]);
  });

  it.each([...files.map((file) => [file, textOf(file)] as const), ["deploy-tools", action] as const])(
    "%s: runs the actions of others at a commit, and says which version that is",
    (_, text) => {
      const uses = [...text.matchAll(/uses: (?!\.\/)(.*)/g)].map(([, name = ""]) => name);
      for (const name of uses) expect(name).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    },
  );

  it("one action is the same commit everywhere", () => {
    const all = [...files.map(textOf), action].join("\n").matchAll(/uses: (?!\.\/)(\S+)@(\S+)/g);
    const commits = new Map<string, Set<string>>();
    for (const [, name = "", commit = ""] of all)
      commits.set(name, (commits.get(name) ?? new Set()).add(commit));
    expect(commits.size).toBe(3);
    for (const [name, each] of commits) expect([name, each.size]).toEqual([name, 1]);
  });

  it.each(files)("%s: has no right but to read, unless a job says so", (file) => {
    expect(Object.values(workflowOf(file).permissions).filter((right) => right !== "read")).toEqual([]);
  });

  it("these jobs write, and no others", () => {
    const writes = jobs.flatMap(([name, { permissions = {} }]) =>
      Object.entries(permissions).flatMap(([right, degree]) =>
        degree === "write" ? [`${name}: ${right}`] : [],
      ),
    );
    expect(writes.toSorted()).toEqual([
      "preview.yml deploy: id-token",
      "preview.yml deploy: pull-requests",
      "preview.yml remove: id-token",
      "production.yml deploy: id-token",
      "remove.yml remove: id-token",
      "sweep.yml find: id-token",
      "sweep.yml remove: id-token",
    ]);
  });

  it("none runs code of a fork with rights of ours", () => {
    for (const file of files) expect(workflowOf(file).on).not.toHaveProperty("pull_request_target");
    const guard = "github.event.pull_request.head.repo.full_name == github.repository";
    for (const job of Object.values(workflowOf("preview.yml").jobs)) expect(job.if).toContain(guard);
    expect(textOf("check.yml")).not.toMatch(/secrets|id-token|environment:/);
  });

  it.each(jobs)("%s: puts nothing from outside into a script's text", (_, job) => {
    for (const { run = "" } of stepsOf(job)) expect(run).not.toContain("${{");
  });

  it.each(jobs)("%s: leaves no credentials behind, and ends some time", (_, job) => {
    if (job.uses === undefined) expect(job["timeout-minutes"]).toBeLessThanOrEqual(60);
    for (const step of stepsOf(job).filter(({ uses }) => uses?.startsWith("actions/checkout@")))
      expect(step.with).toMatchObject({ "persist-credentials": false });
  });

  it.each(files)(
    "%s: fails when a part of a pipe fails, or the sweep would take no answer for no pull request",
    (file) => {
      expect(workflowOf(file).defaults.run.shell).toBe("bash");
    },
  );
});

describe("stages", () => {
  const preview = workflowOf("preview.yml");
  const sweep = workflowOf("sweep.yml");
  const remove = workflowOf("remove.yml").jobs["remove"];

  it("previews are deployed on every push and removed on close", () => {
    expect(preview.on).toEqual({ pull_request: { types: ["opened", "synchronize", "reopened", "closed"] } });
    expect(preview.jobs["deploy"]?.if).toContain("github.event.action != 'closed'");
    expect(preview.jobs["remove"]?.if).toContain("github.event.action == 'closed'");
  });

  it("deploying and removing one wait for each other, also in the sweep, and none is cancelled", () => {
    const never = { "cancel-in-progress": false };
    expect(preview.concurrency).toEqual({ group: "stage-pr-${{ github.event.number }}", ...never });
    expect(sweep.jobs["remove"]?.concurrency).toEqual({ group: "stage-pr-${{ matrix.number }}", ...never });
    expect(workflowOf("production.yml").jobs["deploy"]?.concurrency).toEqual({
      group: "stage-production",
      ...never,
    });
  });

  it("production is deployed from main, after the checks, and talked to", () => {
    const { on, jobs: parts } = workflowOf("production.yml");
    expect(on).toEqual({ push: { branches: ["main"] } });
    expect(parts["check"]?.uses).toBe("./.github/workflows/check.yml");
    expect(parts["deploy"]).toMatchObject({ needs: "check", environment: { name: "production" } });
    expect(stepsOf(parts["deploy"] ?? {}).at(-1)?.run).toMatch(/^npm run smoke -- "\$URL"/);
  });

  it("only what is called pr-NUMBER can be removed, and only of a closed pull request", () => {
    const texts = [...files.map(textOf)].join("\n").matchAll(/(?:sst remove|stage -- remove).*/g);
    const commands = [...texts].map(([text]) => text);
    expect(commands).toEqual(['sst remove --stage "$STAGE"', 'stage -- remove "$STAGE"']);
    expect(textOf("remove.yml")).toContain("STAGE: pr-${{ inputs.number }}");
    expect(stepsOf(remove ?? {})[0]?.run).toMatch(/gh pr view .* != OPEN$/);
  });

  it("what reaches the engines is given as the configuration reads it", () => {
    const steps = [...stepsOf(remove ?? {}), ...stepsOf(sweep.jobs["engines"] ?? {})];
    const given = steps
      .filter(({ run }) => run?.includes("npm run stage"))
      .map(({ env = {} }) => Object.keys(env));
    expect(given).toHaveLength(2);
    for (const name of given.flat().filter((each) => each !== "GH_TOKEN"))
      expect(Object.keys(VARIABLES)).toContain(name);
  });
});

describe("what the workflows call", () => {
  const all = [...files.map(textOf), action].join("\n");

  it("is there", () => {
    const { scripts } = JSON.parse(readFileSync(join(github, "../package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const names = [...all.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    expect(new Set(names)).toEqual(new Set(["smoke", "stage"]));
    for (const name of names) expect(scripts).toHaveProperty(name);
  });

  it("gets every variable that the stack reads, and no others", () => {
    const settings = readFileSync(join(github, "../infra/settings.ts"), "utf8");
    const read = new Set([...settings.matchAll(/env\["(\w+)"\]/g)].map(([, name = ""]) => name));
    read.delete("SKAT_CONSUMER"); // a choice for small stages, made by hand
    const deploying = ["preview.yml", "production.yml"].flatMap((file) =>
      stepsOf(workflowOf(file).jobs["deploy"] ?? {}),
    );
    const given = deploying
      .filter(({ run }) => run?.includes("sst deploy"))
      .flatMap(({ env = {} }) => Object.keys(env));
    expect(new Set(given)).toEqual(read);
  });
});

describe("the checks", () => {
  it("run on the oldest Node that is supported and on the images' own", () => {
    const { engines } = JSON.parse(readFileSync(join(github, "../package.json"), "utf8")) as {
      engines: { node: string };
    };
    const [, images = ""] = /ARG NODE_VERSION=(\d+)\./.exec(dockerfile) ?? [];
    const { matrix } = workflowOf("check.yml").jobs["suites"]?.strategy ?? {};
    expect(matrix).toEqual({ node: [engines.node.replace(">=", ""), images] });
  });

  it("build both images, and hold a conversation on the whole of compose", () => {
    const text = textOf("check.yml");
    for (const target of ["node", "consumer"])
      expect(text).toContain(`docker build --platform linux/arm64 --target ${target} `);
    expect(text).toContain("docker compose --profile prod up --build --detach --wait");
    expect(text).toContain("npm run smoke -- https://localhost");
  });
});

describeLinter("actionlint", "the workflows, read by actionlint", (lint) => {
  it("have no fault", () => {
    expect(lint(["-no-color"])).toBe("");
  });

  it("would have one with a context that does not exist there", () => {
    const broken = textOf("production.yml").replace("vars.AWS_REGION", "varz.AWS_REGION");
    expect(lint(["-no-color", "-"], broken)).toContain("varz");
  });
});
