/** What holds for every answer and every change, whoever asks: headers that bind the browser, and the check against foreign pages. */
import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { ChatError } from "../lib/errors.ts";
import { isOriginAllowed, type AllowedOrigins } from "../lib/origins.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const HSTS = "max-age=31536000; includeSubDomains";

/** The page runs and shows its own files only, and is shown in no other page. */
export function securityHeaders(isHttps: boolean): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      connectSrc: ["'self'"],
      fontSrc: ["'self'"],
      manifestSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: "DENY",
    referrerPolicy: "no-referrer",
    // Over plain HTTP browsers ignore it, and a laptop's other servers share its name.
    strictTransportSecurity: isHttps ? HSTS : false,
  });
}

/** A browser names the page that makes a change; a foreign one can't use a visitor's cookie for it. */
export function refuseForeignPages(origins: AllowedOrigins): MiddlewareHandler {
  return async (c, next) => {
    const isAllowed = isOriginAllowed(origins, c.req.header("origin"), c.req.header("host"));
    if (!SAFE_METHODS.has(c.req.method) && !isAllowed) {
      throw new ChatError("origin_refused", "Pages of this origin may not do this.");
    }
    await next();
  };
}
