/** An authority of a test's own, and certificates that it signs for 127.0.0.1: made by openssl, good for an hour's work. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pem } from "../../scripts/engines/pem.ts";

export interface Authority {
  readonly ca: string;
  /** A certificate for a server on 127.0.0.1, or for a client called `name`. */
  sign(name: string): Pem;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem"];

export function createAuthority(): Authority {
  const own = inFolder((openssl) => {
    openssl("req", "-x509", ...KEY, "-days", "2", "-subj", "/CN=Authority of a test", "-out", "cert.pem");
  });
  return { ca: own.cert, sign: (name) => ({ ca: own.cert, ...sign(name, own) }) };
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

function sign(name: string, authority: Pair): Pair {
  return inFolder((openssl, write) => {
    const ca = [
      "-CA",
      write("ca.pem", authority.cert),
      "-CAkey",
      write("ca.key", authority.key),
      "-CAcreateserial",
    ];
    const names = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n";
    openssl("req", ...KEY, "-subj", `/CN=${name}`, "-out", "request.pem");
    const extensions = ["-extfile", write("extensions", names)];
    openssl("x509", "-req", "-in", "request.pem", ...ca, "-days", "2", ...extensions, "-out", "cert.pem");
  });
}

function inFolder(
  make: (openssl: (...args: string[]) => void, write: (name: string, text: string) => string) => void,
): Pair {
  const dir = mkdtempSync(join(tmpdir(), "skat-certificate-"));
  try {
    make(
      (...args) => void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" }),
      (name, text) => (writeFileSync(join(dir, name), text), name),
    );
    return {
      cert: readFileSync(join(dir, "cert.pem"), "utf8"),
      key: readFileSync(join(dir, "key.pem"), "utf8"),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
