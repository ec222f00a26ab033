/** A site in front of a node as its visitors know it: it can be out of reach, and a deploy puts another version of the page on it. */
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

export interface Site {
  readonly url: string;
  /** Another version of the page: its script has another name and says the version at the root element; the old name is gone. */
  deploy(version: number): void;
  /** Whether anybody gets through; a change ends the connections that are open. */
  setReachable(isReachable: boolean): void;
  close(): Promise<void>;
}

const SCRIPT = /\/assets\/([\w-]+)(?:\.v(\d+))?\.js/g;

/** `nodeUrl` is asked at every request. */
export async function startSite(nodeUrl: () => string): Promise<Site> {
  let version = 0;
  let isReachable = true;
  const open = new Set<Socket>();
  const server = createServer((asked, answer) => void pass(asked, answer, nodeUrl(), version));
  server.on("connection", (socket) => {
    if (!isReachable) return socket.destroy();
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  server.on("upgrade", (asked, socket, head) => {
    const node = connect(Number(new URL(nodeUrl()).port), "127.0.0.1");
    const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${String(value)}`);
    node.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
    node.write(head);
    node.pipe(socket).pipe(node);
    for (const [from, to] of [
      [node, socket],
      [socket, node],
    ] as const)
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => open.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deploy: (next) => (version = next),
    setReachable: (next) => {
      isReachable = next;
      cut();
    },
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As the node answers, but for the script's name and the version in it. */
async function pass(
  asked: IncomingMessage,
  answer: ServerResponse,
  nodeUrl: string,
  version: number,
): Promise<void> {
  const path = asked.url ?? "/";
  const [, , asVersion = "0"] = [...path.matchAll(SCRIPT)][0] ?? [];
  const isScript = path.match(SCRIPT) !== null;
  if (isScript && Number(asVersion) !== version) return void answer.writeHead(404).end();
  const headers = { ...asked.headers, "accept-encoding": "identity" };
  const target = new URL(path.replace(SCRIPT, "/assets/$1.js"), nodeUrl);
  const forwarded = request(target, { method: asked.method, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => {
      const body = changed(Buffer.concat(chunks), path, isScript, version);
      const { "transfer-encoding": _, ...rest } = response.headers;
      answer.writeHead(response.statusCode ?? 502, { ...rest, "content-length": body.length }).end(body);
    });
  });
  forwarded.on("error", () => answer.destroy());
  asked.pipe(forwarded);
}

function changed(body: Buffer, path: string, isScript: boolean, version: number): Buffer {
  if (version === 0 || !(isScript || path === "/")) return body;
  if (isScript) return Buffer.from(`${String(body)}\ndocument.documentElement.dataset.version="${version}";`);
  return Buffer.from(String(body).replace(SCRIPT, `/assets/$1.v${version}.js`));
}
