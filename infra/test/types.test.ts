/** The stack's types, against SST's own: their sources are checked along, so that they have a configuration of their own. */
import { expect, it } from "vitest";
import { describeStack, run } from "./stack.ts";

describeStack("infra: types", { timeout: 300_000 }, () => {
  it("the stack fits the types of SST and of the providers", async () => {
    await expect(run(["node_modules/typescript/bin/tsc", "-p", "infra/tsconfig.json"])).resolves.toBe("");
  });
});
