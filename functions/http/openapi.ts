/** The OpenAPI 3.1 document, made of the table of routes and the schemas that validate. */
import { z } from "zod";
import { ERRORS } from "../protocol.ts";
import { LINES_TYPE } from "./lines.ts";
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

type Schema = Readonly<Record<string, unknown>>;

export function toOpenApi(routes: readonly Route[]): object {
  const schemas: Record<string, unknown> = {};
  const paths: Record<string, Record<string, object>> = {};
  for (const each of routes) {
    const path = each.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [each.method]: toOperation(each, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Skat",
      version: "1",
      description: "Errors carry the codes of the table in docs/protocol.md.",
    },
    paths,
    components: {
      schemas,
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  };
}

function toOperation(
  { path, title, isOpen, query, body, answer, fileName }: Route,
  schemas: Record<string, unknown>,
): object {
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
    schema: toSchema(schema, "input", schemas),
  }));
  const json = (schema: z.ZodType, io: "input" | "output", mediaType = "application/json") => ({
    [mediaType]: { schema: toSchema(schema, io, schemas) },
  });
  return {
    summary: title,
    ...(isOpen ? {} : { security: [{ bearer: [] }] }),
    parameters: [...inPath, ...inQuery],
    ...(body ? { requestBody: { required: true, content: json(body, "input") } } : {}),
    responses: {
      200: { description: "Done.", content: json(answer, "output", fileName && LINES_TYPE) },
      default: { description: "Refused.", content: json(ERROR, "output") },
    },
  };
}

/** JSON Schema, its named parts among the document's. What an answer has more is to be ignored, so nothing is forbidden. */
function toSchema(schema: z.core.$ZodType, io: "input" | "output", schemas: Record<string, unknown>): Schema {
  const made = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      delete jsonSchema.readOnly;
    },
  });
  const text = JSON.stringify(made).replaceAll("#/$defs/", "#/components/schemas/");
  const { $schema: _, $defs, ...rest } = JSON.parse(text) as Schema;
  Object.assign(schemas, $defs);
  return rest;
}
