/** How often the page is drawn. */
import { expect, it } from "vitest";
import { perFrame } from "../src/per-frame.ts";

it("a change is drawn at once, a burst of five hundred once more with the next frame", () => {
  let drawn = 0;
  let frames: (() => void)[] = [];
  const nextFrame = () => {
    const due = frames;
    frames = [];
    for (const task of due) task();
  };
  const change = perFrame(
    () => (drawn += 1),
    (task) => frames.push(task),
  );
  change();
  expect(drawn).toBe(1);
  for (let count = 0; count < 500; count++) change();
  expect(drawn).toBe(1);
  nextFrame();
  expect(drawn).toBe(2);
  change();
  nextFrame();
  expect(drawn).toBe(3);
  nextFrame();
  nextFrame();
  expect(drawn).toBe(3);
  change();
  expect(drawn).toBe(4);
});
