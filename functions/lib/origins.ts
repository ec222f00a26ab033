/** Which web pages may talk to a node: the check against a foreign page that uses a visitor's browser. */
import { isIP } from "node:net";

/** `local`: pages of this machine, and those that this very server gave out under a numeric address. */
export type AllowedOrigins = readonly string[] | "local";

/**
 * Whether a request may come from the page of `origin`. Without an origin it comes from no browser, and may.
 *
 * note: an origin that equals `host` proves nothing where it is a name: whoever owns a name can let it point here. A numeric
 * address can't be borrowed.
 */
export function isOriginAllowed(
  allowed: AllowedOrigins,
  origin: string | undefined,
  host: string | undefined,
): boolean {
  if (origin === undefined) return true;
  if (allowed !== "local") return allowed.includes(origin);
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  const name = url.hostname.replace(/^\[|\]$/g, "");
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  if (isIP(name) === 0) return false;
  return name.startsWith("127.") || url.host === host;
}
