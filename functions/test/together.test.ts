/** Questions of one kind that are asked together. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Together } from "../core/together.ts";

/** Answers a batch only when it is told to. */
function held() {
  const asked: { questions: readonly string[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const together = new Together<string, string>(
    (questions) =>
      new Promise((resolve, reject) => {
        const answer = () => resolve(questions.map((question) => `${question}!`));
        asked.push({ questions, answer, fail: reject });
      }),
  );
  return { asked, together };
}

test("what is asked while a question is out goes as one, and each gets its own answer", async () => {
  const { asked, together } = held();
  const answers = ["a", "b", "c"].map((question) => together.ask(question));
  expect(asked.map(({ questions }) => questions)).toEqual([["a"]]);
  asked[0]?.answer();
  expect(await answers[0]).toBe("a!");
  await turn();
  expect(asked.map(({ questions }) => questions)).toEqual([["a"], ["b", "c"]]);
  asked[1]?.answer();
  expect(await Promise.all(answers)).toEqual(["a!", "b!", "c!"]);
});

test("an answer is never older than its question: the same one is asked again", async () => {
  const { asked, together } = held();
  const [first, second] = [together.ask("a"), together.ask("a")];
  asked[0]?.answer();
  await first;
  await turn();
  expect(asked).toHaveLength(2);
  asked[1]?.answer();
  expect(await second).toBe("a!");
});

test("what fails is told to those who asked it, and the next are asked", async () => {
  const { asked, together } = held();
  const answers = ["a", "b", "c"].map((question) => together.ask(question));
  asked[0]?.answer();
  await answers[0];
  await turn();
  asked[1]?.fail(new Error("away"));
  await expect(answers[1]).rejects.toThrow("away");
  await expect(answers[2]).rejects.toThrow("away");
  const next = together.ask("d");
  asked[2]?.answer();
  expect(await next).toBe("d!");
});

test("no more go as one than a statement should have", async () => {
  const { asked, together } = held();
  const all = Array.from({ length: 1_002 }, (_, index) => together.ask(`${index}`));
  for (let n = 0; n < 4; n++) {
    asked[n]?.answer();
    await turn();
  }
  await Promise.all(all);
  expect(asked.map(({ questions }) => questions.length)).toEqual([1, 500, 500, 1]);
});
