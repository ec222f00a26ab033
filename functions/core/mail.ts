/** Port: letters to people. At most once: a letter that can't be handed over is an error, and is not tried again. */
export interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mail {
  send(letter: Letter): Promise<void>;
}

export interface KeptLetter extends Letter {
  readonly atMs: number;
}

/** Letters that were not sent but kept, newest first. */
export interface Mailbox {
  letters(): readonly KeptLetter[];
}
