/**
 * Prisma's schema engine for tests: stands in for the program that `prisma migrate` downloads and talks to.
 *
 * It is Prisma's own engine, in the build for WebAssembly that Prisma publishes, behind the arguments and the JSON-RPC on standard
 * input and output of the native one. So the tests drive the real command line without a network.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as glue from "@prisma/schema-engine-wasm/schema_engine_bg";
import pg from "pg";

/** The part of it that is used here; Node 20's types leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
};

type Adapter = Awaited<ReturnType<PrismaPg["connect"]>>;

interface Request {
  readonly id: number;
  readonly method?: string;
  readonly params?: object;
}

const { values, positionals } = parseArgs({
  options: { datasource: { type: "string" }, datamodels: { type: "string", multiple: true } },
  strict: false,
  allowPositionals: true,
});
const { url } = JSON.parse(String(values.datasource)) as { url: string };
const schema = new URL(url).searchParams.get("schema") ?? "public";

/** The command `cli can-connect-to-database`; the only one that `deploy` and `status` need. */
async function checkDatabase(): Promise<void> {
  const client = new pg.Client(connection(url));
  try {
    await client.connect();
    await client.end();
  } catch (error) {
    const fields = { message: String(error), error_code: "P1001", is_panic: false };
    console.error(JSON.stringify({ level: "ERROR", fields, target: "schema_engine::logger" }));
    process.exitCode = 1;
  }
}

async function serve(): Promise<void> {
  const engine = await startEngine();
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params = {} } = JSON.parse(line) as Request;
    if (method === undefined) continue; // the answer to a `print` of ours
    try {
      reply({ id, result: await call(engine, method, params) });
    } catch (error) {
      const { message, code = null } = error as Error & { code?: string };
      const data = { is_panic: false, message, error_code: code, meta: null };
      reply({
        id,
        error: { code: 4466, message: "An error happened. Check the data field for details.", data },
      });
    }
  }
  process.exit();
}

async function call(engine: object, method: string, params: object): Promise<unknown> {
  const work: unknown = Reflect.get(engine, method === "getDatabaseVersion" ? "version" : method);
  if (typeof work !== "function") throw new Error(`the schema engine has no method ${method}`);
  const result: unknown = await work.call(engine, params);
  if (method !== "diff") return result ?? null;
  // The native engine prints a difference by itself, through a call in the other direction.
  const { stdout, ...rest } = result as { stdout: string | null };
  if (stdout) reply({ id: 1_000_000, method: "print", params: { content: stdout } });
  return { ...rest, stdout: null };
}

function reply(message: object): void {
  console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
}

async function startEngine(): Promise<object> {
  const folder = dirname(
    createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm/schema_engine_bg"),
  );
  const module = new WebAssembly.Module(await readFile(join(folder, "schema_engine_bg.wasm")));
  const { exports } = new WebAssembly.Instance(module, { "./schema_engine_bg.js": { ...glue } });
  glue.__wbg_set_wasm(exports);
  (exports["__wbindgen_start"] as () => void)();
  const files = (values.datamodels ?? []).map(String);
  const datamodels = await Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")]));
  const options = datamodels.length > 0 ? { datamodels } : {};
  const factory = bindMigrationAwareSqlAdapterFactory(new EnginePg(connection(url), { schema }));
  return glue.SchemaEngine.new(options as Parameters<typeof glue.SchemaEngine.new>[0], () => {}, factory);
}

/** By fields: in a connection string the name of the database would win over that of the shadow database. */
function connection(text: string): pg.PoolConfig {
  const { hostname, port, username, password, pathname } = new URL(text);
  return {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    options: `-c search_path=${pg.escapeIdentifier(schema)}`,
  };
}

/** The adapter, with what it lacks for migrations. */
class EnginePg extends PrismaPg {
  override async connect(): Promise<Adapter> {
    return mend(await super.connect());
  }

  override async connectToShadowDb(): Promise<Adapter> {
    const adapter = mend(await super.connectToShadowDb());
    const pool = adapter.underlyingDriver();
    await pool.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
    adapter.getConnectionInfo = () => ({ schemaName: schema, supportsRelationJoins: true });
    // The adapter's own way is to drop the database before its last connection is closed, which fails.
    adapter.dispose = async () => {
      await pool.end();
      const client = new pg.Client(connection(url));
      await client.connect();
      await client.query(`DROP DATABASE ${pg.escapeIdentifier(String(pool.options.database))}`);
      await client.end();
    };
    return adapter;
  }
}

const OID_CHAR = 18;
const OID_BPCHAR = 1042;

/** Runs scripts whole, as the native engine does, and knows the type `"char"` of the catalogue. */
function mend(adapter: Adapter): Adapter {
  const pool = adapter.underlyingDriver();
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<pg.QueryResult>;
  adapter.executeScript = async (script) => void (await query(script));
  const mended = async (...args: unknown[]): Promise<pg.QueryResult> => {
    const result = await query(...args);
    for (const field of result.fields ?? []) if (field.dataTypeID === OID_CHAR) field.dataTypeID = OID_BPCHAR;
    return result;
  };
  return Object.assign(adapter, { client: Object.assign(pool, { query: mended }) });
}

if (positionals.includes("cli")) await checkDatabase();
else await serve();
