/** Every suite of the repository. One file at a time: they start servers and kill them, and two cores are few. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["functions/**/*.test.ts", "web/**/*.test.ts", "scripts/**/*.test.ts"],
    globalSetup: ["functions/test/engines.ts"],
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
