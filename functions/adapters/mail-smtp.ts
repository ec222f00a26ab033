/** Mail by SMTP. */
import { createTransport, type Transporter } from "nodemailer";
import type { Letter, Mail } from "../core/mail.ts";

export interface SmtpMailOptions {
  /** smtp:// or, with TLS from the start, smtps://; user and password in it. */
  readonly url: string;
  readonly from: string;
}

const TIMEOUT_MS = 10_000;

export class SmtpMail implements Mail {
  readonly #transport: Transporter;
  readonly #from: string;

  constructor({ url, from }: SmtpMailOptions) {
    this.#from = from;
    const timeouts = {
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    };
    // Nothing of a letter is read from files or fetched, whatever its text says.
    this.#transport = createTransport({ url, disableFileAccess: true, disableUrlAccess: true, ...timeouts });
  }

  async send({ to, subject, text }: Letter): Promise<void> {
    // As an address object: a name in it can't add receivers.
    await this.#transport.sendMail({ from: this.#from, to: { name: "", address: to }, subject, text });
  }
}
