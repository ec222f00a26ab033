/** Puts the stack together: each file here is one concern, and this is the order in which they need each other. */
import { createAlarms } from "./alarms.ts";
import { createBalancer } from "./balancer.ts";
import { createConsumer } from "./consumer.ts";
import { createCron } from "./cron.ts";
import { createData } from "./data.ts";
import { createNetwork } from "./network.ts";
import { createRealtime } from "./realtime.ts";
import { linkedSecrets, readSecrets, storeSecrets } from "./secrets.ts";
import { readSettings } from "./settings.ts";
import { stageOf } from "./stage.ts";
import { createWeb } from "./web.ts";

/** What `sst deploy` prints. */
export function stack(): Record<string, $util.Output<string>> {
  const stage = stageOf($app.stage);
  if ($dev) return develop();
  const settings = readSettings(stage);
  const shared = settings.aiven ? createData(stage, settings.aiven) : readSecrets("redis", "kafka");
  const secrets = storeSecrets(stage, { ...shared, ...readSecrets("postgres", "access") });
  const network = createNetwork(settings);
  const balancer = createBalancer(network, settings);
  const web = createWeb(balancer, settings);
  const context = { stage, network, secrets };
  createRealtime(context, balancer, web, settings);
  if (settings.consumer === "service") createConsumer(context, settings);
  else createCron(context, settings);
  if (stage.hasAlarms) createAlarms(stage, settings, balancer.alb);
  return { url: web.url, vpc: network.vpc.id };
}

/** `sst dev`: the processes run here, on the stage's engines as far as it has secrets for them. Nothing is created. */
function develop(): Record<string, never> {
  new sst.x.DevCommand("Skat", { link: linkedSecrets(), dev: { command: "npm run dev", autostart: true } });
  return {};
}
