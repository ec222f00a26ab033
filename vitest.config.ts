/** Every suite of the repository, in three parts: the faults come after the others, for they load and kill servers of their own; two files come alone. */
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const faults = ["functions/test/**/faults/**/*.test.ts", "functions/test/**/*-faults.test.ts"];
/** One holds a machine's memory and a reader's silence against others; one is hundreds of clients, three nodes and two consumers. */
const alone = ["slow-reader", "ledger"].map((name) => `functions/test/faults/${name}.test.ts`);
/** Files wait for servers half of their time, so that two processors are enough for three of them. */
const common = { testTimeout: 60_000, hookTimeout: 180_000, maxWorkers: 3 };

/** Those that take the longest, which begin first: one that came late would run when all others are done. */
const LONGEST = [
  ...["engines", "processes", "stages", "redis", "cluster", "degraded"].map((name) => `faults/${name}`),
  ...["views", "rooms", "doctor", "simulation/simulation", "path", "fuzz", "accounts", "bad-input"],
  ...["store-pglite", "stacks", "migrations", "page-outbox", "socketio-bad-input", "sdk/test/node"],
].map((name) => `${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const first = LONGEST.flatMap((end) => sorted.filter(({ moduleId }) => moduleId.endsWith(`/${end}`)));
    return [...new Set([...first, ...sorted])];
  }
}

export default defineConfig({
  test: {
    globalSetup: ["functions/test/global-setup.ts"],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          name: "suites",
          include: [
            "functions/**/*.test.ts",
            "web/**/*.test.ts",
            "scripts/**/*.test.ts",
            "infra/**/*.test.ts",
            "bench/**/*.test.ts",
          ],
          exclude: ["**/node_modules/**", ...faults],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: { ...common, name: "faults", include: faults, exclude: alone, sequence: { groupOrder: 1 } },
      },
      {
        test: { ...common, name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
