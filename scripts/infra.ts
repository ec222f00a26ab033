/** `npm run infra`: has SST unpack its components and install the providers that `sst.config.ts` names, from npm alone. */
import { spawnSync } from "node:child_process";

const env = {
  ...process.env,
  // Neither Pulumi's engine nor Bun: nothing is deployed here.
  SST_SKIP_DEPENDENCY_CHECK: "1",
  SST_NO_BUN: "1",
  SST_TELEMETRY_DISABLED: "1",
  AWS_EC2_METADATA_DISABLED: "true",
};
const { status, error } = spawnSync(
  process.execPath,
  ["node_modules/sst/bin/sst.mjs", "install", "--stage", "ci"],
  { stdio: "inherit", env },
);
if (error) console.error(error.message);
process.exit(status ?? 1);
