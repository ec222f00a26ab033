/** The OpenAPI 3.1 document, made of the table of routes and the schemas that validate. */
import { z } from "zod";
import { ERRORS } from "../protocol.ts";
import type { Route } from "./routes.ts";

const ERROR = z
  .object({
    error: z.object({
      code: z.enum(Object.keys(ERRORS) as [string, ...string[]]),
      message: z.string(),
      retriable: z.boolean(),
      retryAfterMs: z.number().optional(),
    }),
  })
  .meta({ id: "Error" });

export function toOpenApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: toOperation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Skat",
      version: "1",
      description: "Errors carry the codes of the table in docs/protocol.md.",
    },
    paths,
    components: { securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } } },
  };
}

function toOperation({ path, title, isOpen, query, body, answer }: Route): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: !z.safeParse(schema, undefined).success,
    schema: toSchema(schema, "input"),
  }));
  return {
    summary: title,
    ...(isOpen ? {} : { security: [{ bearer: [] }] }),
    parameters: [...inPath, ...inQuery],
    ...(body ? { requestBody: { required: true, content: json(body, "input") } } : {}),
    responses: {
      200: { description: "Done.", content: json(answer, "output") },
      default: { description: "Refused.", content: json(ERROR, "output") },
    },
  };
}

function json(schema: z.ZodType, io: "input" | "output"): object {
  return { "application/json": { schema: toSchema(schema, io) } };
}

function toSchema(schema: z.core.$ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, reused: "inline", unrepresentable: "any" });
  return rest;
}
