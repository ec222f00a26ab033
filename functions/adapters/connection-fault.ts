/** Why a connection could not be made, from the codes of sockets and TLS, which all engines share. */
import { CheckFault } from "../core/preflight.ts";

export interface ConnectionWords {
  /** As people call it. */
  readonly engine: string;
  /** The variable that names the address. */
  readonly address: string;
  /** The variable that names the authority. */
  readonly ca: string;
  readonly isTls: boolean;
  /** How to turn TLS on. */
  readonly tls: string;
}

/** Undefined for an error that says nothing about the connection. */
export function connectionFault(error: unknown, words: ConnectionWords): CheckFault | undefined {
  const { code, text } = rootOf(error);
  const kind = KINDS.find(({ pattern }) => pattern.test(code) || pattern.test(text));
  if (!kind) return undefined;
  const [found, cure] = kind.tell(words);
  const cause = code === "" ? text : code;
  return new CheckFault(`${found} (${cause.slice(0, 120)}).`, `${cure}.`, { cause: error });
}

interface Kind {
  readonly pattern: RegExp;
  tell(words: ConnectionWords): readonly [found: string, cure: string];
}

/** The first that fits. */
const KINDS: readonly Kind[] = [
  {
    pattern: /SELF_SIGNED|UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)/,
    tell: ({ engine, ca }) => [
      `${engine}'s certificate is not signed by an authority that is trusted here`,
      `set ${ca} to the certificate of the authority that signed it`,
    ],
  },
  {
    pattern: /CERT_ALTNAME_INVALID/,
    tell: ({ engine, address }) => [
      `${engine}'s certificate is for another host`,
      `name the host in ${address} as the certificate does`,
    ],
  },
  {
    pattern: /CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    tell: ({ engine }) => [
      `${engine}'s certificate is not valid now`,
      "renew it, or set this machine's clock right",
    ],
  },
  {
    pattern:
      /SSLV3_ALERT_(BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_REQUIRED)|ALERT_UNKNOWN_CA|TLSV13_ALERT/,
    tell: ({ engine }) => [
      `${engine} wants a client certificate, and not the one it was given`,
      "give a certificate and its key that the server's authority has signed, or take the port for passwords",
    ],
  },
  {
    pattern: /ECONNREFUSED/,
    tell: ({ engine, address }) => [
      `Nobody listens where ${engine} should be`,
      `check host and port in ${address}, and that the server runs`,
    ],
  },
  {
    pattern: /ENOTFOUND|EAI_AGAIN/,
    tell: ({ engine, address }) => [
      `The name of ${engine}'s host is not known here`,
      `check the host in ${address}`,
    ],
  },
  {
    pattern: /WRONG_VERSION_NUMBER|before secure TLS|not support SSL|EPROTO/,
    tell: ({ engine, address }) => [
      `${engine}'s port does not speak TLS`,
      `take the TLS port in ${address}, or leave TLS out`,
    ],
  },
  {
    pattern: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|[Tt]imed? ?out|timeout/,
    tell: ({ engine, address, isTls }) => [
      `${engine} does not answer`,
      `check that a firewall or allow list lets this machine through${isTls ? `, and that the port in ${address} speaks TLS` : ""}`,
    ],
  },
  {
    pattern: /ECONNRESET|EPIPE|[Cc]losed connection|Connection is closed|terminated unexpectedly/,
    tell: ({ engine, isTls, tls, address }) => [
      `${engine} closed the connection without a word`,
      isTls
        ? `check that the port in ${address} is the one for this kind of credentials`
        : `if the port speaks TLS, ${tls}`,
    ],
  },
];

/** The innermost code, and the texts of all causes. */
function rootOf(error: unknown): { code: string; text: string } {
  let code = "";
  const texts: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    texts.push(at.message);
    const own: unknown = Reflect.get(at, "code");
    if (typeof own === "string") code = own;
  }
  return { code, text: texts.at(-1)?.replaceAll(/\s+/g, " ") ?? String(error) };
}
