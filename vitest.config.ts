/** Every suite of the repository, in two parts: the faults come last and two files at a time, for they load and kill servers of their own. */
import { defineConfig } from "vitest/config";

const faults = ["functions/test/**/faults/**/*.test.ts", "functions/test/**/*-faults.test.ts"];
const common = { testTimeout: 30_000, hookTimeout: 180_000 };

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
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "faults",
          include: faults,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
