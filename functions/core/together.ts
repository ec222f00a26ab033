/** Questions of one kind asked together: while one is under way, those that come wait, and go together as the next. */

interface Waiting<Question, Answer> {
  readonly question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** One answer for each question, in their order. */
export type AskAll<Question, Answer> = (questions: readonly Question[]) => Promise<readonly Answer[]>;

/** In one statement. */
const QUESTIONS_MAX = 500;

export class Together<Question, Answer> {
  readonly #askAll: AskAll<Question, Answer>;
  #waiting: Waiting<Question, Answer>[] = [];
  #isAsking = false;

  constructor(askAll: AskAll<Question, Answer>) {
    this.#askAll = askAll;
  }

  /** The answer is never older than the call. Rejects with the error of the question that it became a part of. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      if (!this.#isAsking) void this.#askWaiting();
    });
  }

  async #askWaiting(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) await this.#answer(this.#waiting.splice(0, QUESTIONS_MAX));
    this.#isAsking = false;
  }

  async #answer(asked: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.#askAll(asked.map(({ question }) => question));
      asked.forEach(({ resolve }, index) => resolve(answers[index] as Answer)); // one for each
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
