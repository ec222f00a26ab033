/** Request bodies: JSON objects, read to their end. */
import type { Context } from "hono";
import { ChatError } from "../lib/errors.ts";

export async function readBody(c: Context): Promise<Record<string, unknown>> {
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
