/** What went wrong, in the shape that `errorText` says in words. */
import { ClientError } from "@skat/client";

export interface Fault {
  readonly code: string;
  readonly message: string;
}

/** Rethrows what is no error of the API: that is a fault of the page, not of the server. */
export function toFault(error: unknown): Fault {
  if (error instanceof ClientError) return { code: error.code, message: error.message };
  throw error;
}
