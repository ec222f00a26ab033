/** HTTP and sockets of one user, for tests. */
import { NO_POSITION, type ServerFrame } from "../protocol.ts";
import { newId } from "./events.ts";
import { guest, RawClient } from "./test-client.ts";
import { answered, waitFor } from "./wait-for.ts";

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Of an error. */
  readonly code: string | undefined;
}

export class Person {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  /** Asked in turn. */
  readonly #urls: readonly string[];
  #turn = 0;

  private constructor(urls: readonly string[], token: string, user: { id: string; name: string }) {
    this.#urls = urls;
    this.token = token;
    this.id = user.id;
    this.name = user.name;
  }

  static async on(urls: readonly string[], name: string): Promise<Person> {
    const { token, user } = await guest(urls[0] ?? "", name);
    return new Person(urls, token, user);
  }

  /** The same, asking the `n`th node only. */
  via(n: number): Person {
    return new Person([this.#urls[n % this.#urls.length] ?? ""], this.token, {
      id: this.id,
      name: this.name,
    });
  }

  async ask(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const url = this.#urls[this.#turn++ % this.#urls.length] ?? "";
    const response = await fetch(`${url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { error?: { code: string } };
    return { status: response.status, body: { ...answer }, code: answer.error?.code };
  }

  /** Throws unless it is done. */
  async do(method: string, path: string, body?: object): Promise<Answer["body"]> {
    const answer = await answered(() => this.ask(method, path, body));
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  }

  async room(kind: "public" | "private", name = "room"): Promise<string> {
    return String((await this.do("POST", "/rooms", { name, kind }))["id"]);
  }

  /** A socket on the `n`th node that has joined the room. */
  async joined(room: string, n = 0): Promise<RawClient> {
    const client = await this.connected(n);
    const answer = await client.ask({ type: "join", room });
    if (answer.type !== "joined") throw new Error(`join: ${JSON.stringify(answer)}`);
    return client;
  }

  connected(n = 0): Promise<RawClient> {
    return RawClient.open(this.#urls[n % this.#urls.length] ?? "", this.token);
  }
}

/** What a client is answered to a message, sent again until that is final: "sent", or the code of the refusal. */
export function say(client: RawClient, room: string, body: string, id = newId()): Promise<string> {
  const frame = { type: "send", room, id, body, since: sinceOf(client, room) };
  return waitFor(async () => {
    const answer = await client.ask(frame);
    if (answer.type !== "error") return answer.type;
    return answer.retriable ? undefined : answer.code;
  }, `a final answer to ${body}`);
}

export function sinceOf(client: RawClient, room: string): string {
  const pages = client.frames.filter(
    (frame): frame is Extract<ServerFrame, { type: "joined" | "reset" }> =>
      (frame.type === "joined" || frame.type === "reset") && frame.room === room,
  );
  return pages.at(-1)?.head ?? NO_POSITION;
}

export function heard(client: RawClient, body: string): boolean {
  return client.frames.some((frame) => frame.type === "event" && frame.body === body);
}
