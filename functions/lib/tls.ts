/** Certificates and keys from the environment: PEM, as it is or in base64, checked before anything connects with it. */
import { createPrivateKey, X509Certificate } from "node:crypto";

/** What a client needs besides the machine's own authorities. The server's certificate is always verified. */
export interface Tls {
  /** Authorities to trust instead of the machine's own, as PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const BLOCK = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

/** One or more certificates as PEM. Throws an error that says what is wrong and never quotes the text. */
export function readCertificates(text: string): string {
  const blocks = readBlocks(text);
  if (blocks.length === 0) throw new Error("holds no certificate: give PEM, or PEM in base64");
  for (const block of blocks) {
    if (!isReadable(() => new X509Certificate(block))) {
      throw new Error("holds something that is not a certificate: was a line lost, or is it a key?");
    }
  }
  return `${blocks.join("\n")}\n`;
}

/** A private key as PEM. Throws as `readCertificates` does. */
export function readPrivateKey(text: string): string {
  const [block, ...others] = readBlocks(text);
  if (block === undefined) throw new Error("holds no private key: give PEM, or PEM in base64");
  if (others.length > 0) throw new Error("holds more than one PEM block: give the private key alone");
  if (!isReadable(() => createPrivateKey(block))) {
    throw new Error("is not a private key, or is one with a passphrase: give it without");
  }
  return `${block}\n`;
}

export function isKeyOf(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

/** Line breaks may come as the two characters `\n`, as in one-line settings. */
function readBlocks(text: string): string[] {
  const plain = text.includes("-----BEGIN") ? text : Buffer.from(text, "base64").toString("latin1");
  return plain.replaceAll("\\n", "\n").match(BLOCK) ?? [];
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
