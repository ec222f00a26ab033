/** Mail on a laptop: printed, and kept in a mailbox that its page shows. */
import type { KeptLetter, Letter, Mail, Mailbox } from "../core/mail.ts";
import type { Runtime } from "../core/runtime.ts";

const LETTERS_MAX = 100;

export class MailboxMail implements Mail, Mailbox {
  readonly #runtime: Runtime;
  readonly #print: (text: string) => void;
  #letters: readonly KeptLetter[] = [];

  constructor(runtime: Runtime, print: (text: string) => void) {
    this.#runtime = runtime;
    this.#print = print;
  }

  async send(letter: Letter): Promise<void> {
    const kept = { ...letter, atMs: this.#runtime.now() };
    this.#letters = [kept, ...this.#letters].slice(0, LETTERS_MAX);
    this.#print(`\nMail to ${letter.to}: ${letter.subject}\n${letter.text}\n`);
  }

  letters(): readonly KeptLetter[] {
    return this.#letters;
  }
}
