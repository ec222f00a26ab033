/** The certificate of a server that speaks TLS, put where the server reads it. */
import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Pem {
  /** Who signed it, and whose client certificates are taken. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Answers the paths; `chain` holds key, certificate and authority, as Kafka wants them. */
export function writePem(dir: string, { ca, cert, key }: Pem, owner?: { uid: number; gid: number }) {
  const write = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (owner) chownSync(path, owner.uid, owner.gid);
    return path;
  };
  return {
    ca: write("ca.pem", ca),
    cert: write("server.pem", cert),
    key: write("server.key", key),
    chain: write("server-chain.pem", key + cert + ca),
  };
}
