/** Routes as data: method, path and the shapes of input and answer. From one table they are served, refused and documented. */
import type { IncomingMessage } from "node:http";
import type { Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import type { Auth } from "../core/auth.ts";
import type { ChatNode } from "../core/node.ts";
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** `Query`, `Body` and `Answer` are the schemas' types. */
export interface Route<Query extends z.ZodObject = z.ZodObject, Body extends z.ZodObject = z.ZodObject> {
  readonly method: Method;
  /** With parameters as `:room`. */
  readonly path: string;
  /** What it does, in a sentence. */
  readonly title: string;
  /** Anybody may ask, without a token. */
  readonly isOpen?: true;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: z.ZodType;
  readonly handle: (input: Input<Query, Body>) => Promise<unknown>;
}

export interface Input<Query extends z.ZodObject, Body extends z.ZodObject> {
  /** Who asks; nobody where the route is open. */
  readonly user: User;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
  /** A parameter of the path. */
  readonly param: (name: string) => string;
  /** The client's address. */
  readonly address: string;
}

interface Typed<Query extends z.ZodObject, Body extends z.ZodObject, Answer extends z.ZodType> extends Route<
  Query,
  Body
> {
  readonly answer: Answer;
  readonly handle: (input: Input<Query, Body>) => Promise<z.input<Answer>>;
}

/** A route whose handler is held to its schemas by the compiler. */
export function route<Query extends z.ZodObject, Body extends z.ZodObject, Answer extends z.ZodType>(
  typed: Typed<Query, Body, Answer>,
): Route {
  return typed as unknown as Route;
}

export interface Serving {
  readonly auth: Auth;
  readonly node: ChatNode;
  readonly addressOf: (req: IncomingMessage) => string;
}

const NOBODY: User = { id: "", name: "" };

/** Serves the routes; other methods of their paths are answered by what they take. */
export function serveRoutes(app: Hono, routes: readonly Route[], serving: Serving): void {
  for (const each of routes) {
    app.on(each.method.toUpperCase(), each.path, async (c) => {
      const user = each.isOpen ? NOBODY : await authenticate(c, serving.auth);
      if (!each.isOpen) await serving.node.admitUser("requests", user);
      const query = each.query ? validate(each.query, c.req.query()) : {};
      const body = each.body ? validate(each.body, await readBody(c)) : {};
      const param = (name: string) => c.req.param(name) ?? "";
      const answer = await each.handle({
        user,
        query,
        body,
        param,
        address: serving.addressOf(requestOf(c)),
      });
      return c.json(answer as object, 200 satisfies ContentfulStatusCode);
    });
  }
  for (const path of new Set(routes.map((each) => each.path))) {
    const methods = routes.filter((each) => each.path === path).map(({ method }) => method.toUpperCase());
    app.all(path, (c) => {
      c.header("Allow", methods.join(", "));
      throw new ChatError("method_not_allowed", `This path takes ${methods.join(", ")}.`);
    });
  }
}

/** Node's own request, which the server hands over. */
function requestOf(c: Context): IncomingMessage {
  return (c.env as { incoming: IncomingMessage }).incoming;
}

async function authenticate(c: Context, auth: Auth): Promise<User> {
  const [, token] = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
  if (token === undefined) throw new ChatError("not_authenticated", "Send `Authorization: Bearer <token>`.");
  return (await auth.verify(token)).user;
}

async function readBody(c: Context): Promise<Record<string, unknown>> {
  const text = await c.req.text().catch(brokenOff);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body))
      return body as Record<string, unknown>;
  } catch (cause) {
    throw new ChatError("invalid_json", "The request body is not JSON.", { cause });
  }
  throw new ChatError("invalid_json", "The request body is not a JSON object.");
}

/** A body that can't be read to its end is the client's fault, not one of the server for its log. */
export function brokenOff(cause: unknown): never {
  if (cause instanceof ChatError) throw cause;
  throw new ChatError("invalid_json", "The request body broke off.", { cause });
}

/** The first fault, by the name of its field. Fields that are not in the schema are dropped. */
function validate(schema: z.ZodObject, value: object): Record<string, unknown> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ChatError("invalid_field", `\`${String(issue?.path[0] ?? "")}\`: ${issue?.message ?? "wrong"}.`);
}
