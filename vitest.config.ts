/** Every suite of the repository, in three parts: the faults come after the others, two files at a time, for they load and kill servers of their own; one file comes alone. */
import { defineConfig } from "vitest/config";

const faults = ["functions/test/**/faults/**/*.test.ts", "functions/test/**/*-faults.test.ts"];
/** It holds a machine's memory and one reader's silence against five hundred others. */
const alone = ["functions/test/faults/guarantees.test.ts"];
const common = { testTimeout: 60_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    globalSetup: ["functions/test/global-setup.ts"],
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
          ],
          exclude: ["**/node_modules/**", ...faults],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "faults",
          include: faults,
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: { ...common, name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
