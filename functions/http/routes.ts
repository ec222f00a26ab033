/** Routes as data: method, path and the shapes of input and answer. From one table they are served, refused and documented. */
import type { IncomingMessage } from "node:http";
import type { Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { requireScope, type Principal, type Scope } from "../core/auth.ts";
import type { ChatNode } from "../core/node.ts";
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";
import { principalOf, type AuthenticateDeps } from "./authenticate.ts";
import { readBody } from "./body.ts";
import { LINES_TYPE, toLines } from "./lines.ts";

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
  /** What a token must be made for; without it `read` to get, and `manage` for everything else. */
  readonly scope?: Scope;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: z.ZodType;
  /** The answer is a file of this name: many of them, one a line, in pages that are read as they are taken. */
  readonly fileName?: string;
  readonly handle: (input: Input<Query, Body>) => Promise<unknown>;
}

export interface Input<Query extends z.ZodObject, Body extends z.ZodObject> {
  /** Who asks; nobody where the route is open. */
  readonly user: User;
  readonly principal: Principal;
  /** Of the request. */
  readonly headers: Headers;
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

type FileRoute = Omit<Route, "handle"> & {
  readonly fileName: string;
  readonly handle: (input: Input<z.ZodObject, z.ZodObject>) => Promise<AsyncIterable<readonly object[]>>;
};

/** A route that answers a file. */
export function fileRoute(typed: FileRoute): Route {
  return typed;
}

export interface Serving extends AuthenticateDeps {
  readonly node: ChatNode;
  readonly addressOf: (req: IncomingMessage) => string;
}

const NOBODY: Principal = { user: { id: "", name: "" }, expiresAtMs: 0, subjects: [] };

/** Serves the routes; other methods of their paths are answered by what they take. */
export function serveRoutes(app: Hono, routes: readonly Route[], serving: Serving): void {
  for (const each of routes) {
    app.on(each.method.toUpperCase(), each.path, async (c) => {
      const principal = each.isOpen ? NOBODY : await principalOf(c, serving);
      const { user } = principal;
      if (!each.isOpen) {
        requireScope(principal, each.scope ?? (each.method === "get" ? "read" : "manage"));
        await serving.node.admitUser("requests", user);
      }
      const query = each.query ? validate(each.query, c.req.query()) : {};
      const body = each.body ? validate(each.body, await readBody(c)) : {};
      const param = (name: string) => c.req.param(name) ?? "";
      const answer = await each.handle({
        user,
        principal,
        headers: c.req.raw.headers,
        query,
        body,
        param,
        address: serving.addressOf(requestOf(c)),
      });
      if (each.fileName !== undefined)
        return file(c, each.fileName, answer as AsyncIterable<readonly object[]>);
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

function file(c: Context, fileName: string, pages: AsyncIterable<readonly object[]>): Response {
  c.header("Content-Type", LINES_TYPE);
  c.header("Content-Disposition", `attachment; filename="${fileName}"`);
  c.header("Cache-Control", "no-store");
  return c.body(toLines(pages));
}

/** Node's own request, which the server hands over. */
export function requestOf(c: Context): IncomingMessage {
  return (c.env as { incoming: IncomingMessage }).incoming;
}

/** The first fault, by the name of its field. Fields that are not in the schema are dropped. */
function validate(schema: z.ZodObject, value: object): Record<string, unknown> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ChatError("invalid_field", `\`${String(issue?.path[0] ?? "")}\`: ${issue?.message ?? "wrong"}.`);
}
