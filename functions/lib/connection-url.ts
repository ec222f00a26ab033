/** Connection strings as providers hand them out, made into what the client libraries understand. */

export interface RedisUrl {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  readonly isTls: boolean;
}

export interface DatabaseUrl {
  /** Without the parameters that are given beside it. */
  readonly url: string;
  readonly isTls: boolean;
  readonly schema: string | undefined;
}

/** ioredis takes `valkeys://` for a host name, and connects in the clear to a server that isn't meant. */
const REDIS_SCHEMES: Readonly<Record<string, "redis" | "rediss">> = {
  "redis:": "redis",
  "rediss:": "rediss",
  "valkey:": "redis",
  "valkeys:": "rediss",
};

/** Throws an error that says what is wrong and never quotes the text, as `readDatabaseUrl` does. */
export function readRedisUrl(text: string): RedisUrl {
  const url = readUrl(text, Object.keys(REDIS_SCHEMES));
  const scheme = REDIS_SCHEMES[url.protocol] ?? "redis";
  if (!/^\/?\d*$/.test(url.pathname)) throw new Error("has a path that is not a database number, such as /0");
  if (url.search !== "") throw new Error("has parameters after `?`: none are understood");
  return { url: `${scheme}${text.slice(text.indexOf("://"))}`, isTls: scheme === "rediss" };
}

const TLS_MODES: Readonly<Record<string, boolean>> = {
  disable: false,
  require: true,
  "verify-ca": true,
  "verify-full": true,
};

/**
 * Takes `sslmode` out of the URL, where pg would let it override an authority that is given beside it, and `schema`, which only
 * Prisma knows. Every mode with TLS verifies the server.
 */
export function readDatabaseUrl(text: string): DatabaseUrl {
  const url = readUrl(text, ["postgres:", "postgresql:"]);
  if (url.pathname.length < 2)
    throw new Error("names no database: postgres://user:password@host:5432/database");
  const parameters = url.searchParams;
  for (const name of ["sslrootcert", "sslcert", "sslkey", "ssl"]) {
    if (parameters.has(name))
      throw new Error(`has \`${name}\`: use \`sslmode\`, and DATABASE_CA for an authority`);
  }
  const mode = parameters.get("sslmode") ?? "disable";
  const isTls = TLS_MODES[mode];
  if (isTls === undefined)
    throw new Error("has an `sslmode` other than disable, require, verify-ca and verify-full");
  const schema = parameters.get("schema") ?? undefined;
  for (const name of ["sslmode", "schema", "uselibpqcompat"]) parameters.delete(name);
  return { url: url.href, isTls, schema };
}

function readUrl(text: string, protocols: readonly string[]): URL {
  const schemes = protocols.map((protocol) => `${protocol}//`).join(", ");
  if (!protocols.some((protocol) => text.startsWith(`${protocol}//`)))
    throw new Error(`must begin with ${schemes}`);
  if (!URL.canParse(text)) {
    throw new Error("is not a URL: are / @ : # ? % in the password written as %2F %40 %3A %23 %3F %25?");
  }
  const url = new URL(text);
  if (url.hostname === "") throw new Error("names no host");
  if (/#/.test(text)) throw new Error("holds a `#`: in a password it is written %23");
  return url;
}
