/** Draws what changes: at once, and then at most once a frame, so that a burst is drawn together and not message by message. */

type Task = () => void;

/** Calls `draw` at the first call, and once more in the next frame for all calls in between. */
export function perFrame(draw: Task, inNextFrame: (task: Task) => void = nextFrame): Task {
  let isHeld = false;
  let isDue = false;
  const next = () => {
    isHeld = false;
    if (isDue) call();
  };
  const call = () => {
    isDue = isHeld;
    if (isHeld) return;
    isHeld = true;
    inNextFrame(next);
    draw();
  };
  return call;
}

/** Where nothing is drawn there are no frames: behind another tab the title still counts. */
const FRAME_MS_MAX = 100;

function nextFrame(task: Task): void {
  const frame = requestAnimationFrame(() => (clearTimeout(timer), task()));
  const timer = setTimeout(() => (cancelAnimationFrame(frame), task()), FRAME_MS_MAX);
}
