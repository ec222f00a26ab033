/** A visitor as a browser sees one: keeps cookies, and says which page makes a change. */
import { WebSocket } from "ws";
import { RawClient } from "./test-client.ts";
import { answered } from "./wait-for.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export class Visitor {
  readonly url: string;
  /** Of the page that it looks at. */
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string, origin = url) {
    this.url = url;
    this.#origin = origin;
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  set(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  /** A body as it is, which may be no JSON. */
  send(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#ask("POST", path, body, headers);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#ask("GET", path, undefined, headers);
  }

  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#ask("POST", path, JSON.stringify(body), headers);
  }

  delete(path: string): Promise<Answer> {
    return this.#ask("DELETE", path, undefined, {});
  }

  /** The token of the session that the cookie proves. */
  async token(): Promise<string> {
    const { status, body } = await this.post("/api/token");
    if (status !== 200) throw new Error(`token: ${status} ${JSON.stringify(body)}`);
    return String(body["token"]);
  }

  /** A socket whose upgrade carries the cookie and nothing else. */
  async socket(headers: Record<string, string> = {}): Promise<RawClient> {
    const client = new RawClient(this.url, ["skat.v1"], {
      cookie: this.cookie,
      origin: this.url,
      ...headers,
    });
    await new Promise<void>((resolve) => {
      client.socket.once("open", resolve);
      client.socket.once("close", () => resolve());
    });
    return client;
  }

  isOpen({ socket }: RawClient): boolean {
    return socket.readyState === WebSocket.OPEN;
  }

  async #ask(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      redirect: "manual",
      headers: {
        ...(method === "GET" ? {} : { origin: this.#origin }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.#cookies.size > 0 ? { cookie: this.cookie } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const parsed: unknown = isJson && text !== "" ? JSON.parse(text) : undefined;
    return {
      status: response.status,
      headers: response.headers,
      body: (parsed ?? {}) as Answer["body"],
      text,
    };
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "" || /max-age=0/i.test(line)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

export const PASSWORD = "correct horse battery";

let count = 0;
export const newAddress = () => `person${++count}.${process.pid}@example.org`;

/** Somebody with a new account, and signed in. */
export async function signUp(
  url: string,
  name = "Ann",
  email = newAddress(),
): Promise<Visitor & { email: string }> {
  const visitor = Object.assign(new Visitor(url), { email });
  const account = { name, email, password: PASSWORD };
  const { status, body } = await answered(() => visitor.post("/api/auth/sign-up/email", account));
  if (status !== 200) throw new Error(`sign-up: ${status} ${JSON.stringify(body)}`);
  return visitor;
}
