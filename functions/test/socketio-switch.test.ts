/** The switches of Socket.IO: off, and on without long-polling. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { expect, it, onTestFinished } from "vitest";
import { startEmbedded, type Embedded } from "./harness.ts";
import { ioConnect } from "./socketio-client.ts";

/** A process in which whoever imports the library fails. */
const hooks = `export const resolve = (name, context, next) => {
  if (/^(socket|engine)[.]io/.test(name)) throw new Error(name + " is not installed");
  return next(name, context);
};`;
const asModule = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
const register = `import { register } from "node:module"; register(${JSON.stringify(asModule(hooks))});`;
const WITHOUT_LIBRARY = { NODE_OPTIONS: `--import=${asModule(register)}` };

async function start(...options: Parameters<typeof startEmbedded>): Promise<Embedded> {
  const server = await startEmbedded(...options);
  onTestFinished(async () => void (await server.stop()));
  return server;
}

it("switched off the library is not even loaded: where it is missing the node starts, and where it is wanted it says so", async () => {
  const off = await start(WITHOUT_LIBRARY, { fromSource: true });
  const response = await fetch(`${off.url}/socket.io/?EIO=4&transport=polling`);
  expect([response.status, await response.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
  const socket = new WebSocket(`${off.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
  const [error] = (await once(socket, "error")) as [Error];
  expect(error.message).toContain("404");
  await expect(start({ SOCKETIO: "true", ...WITHOUT_LIBRARY }, { fromSource: true })).rejects.toThrow(
    "is not installed",
  );
}, 120_000);

it("without polling the client is told to use WebSocket", async () => {
  const strict = await start({ SOCKETIO: "true", SOCKETIO_POLLING: "false" });
  const refused = await fetch(`${strict.url}/socket.io/?EIO=4&transport=polling`);
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain('transports: [\\"websocket\\"]');
  await ioConnect(strict.url).then((client) => client.disconnect());
}, 120_000);
