/**
 * One of several tabs at a time: by a lock of the browser, or by a lease that its holder renews.
 *
 * A tab that slept through the end of its lease may send once more before it notices: the message is the same, under the same
 * id, and counts once.
 */
import type { Cancel, Runtime } from "./runtime.ts";

export interface Lease {
  readonly holder: string;
  /** On the clock that all tabs of the machine share. */
  readonly untilMs: number;
}

const LEASE_MS = 6_000;
const RENEW_MS = 2_000;

type OnTurn = (isMine: boolean) => void;
type Change = (change: (held: Lease | undefined) => Lease | undefined) => Promise<void>;

export function webLock(name: string, onTurn: OnTurn): Cancel {
  const waiting = new AbortController();
  let release: () => void = () => {};
  const hold = () =>
    new Promise<void>((resolve) => {
      release = resolve;
      onTurn(true);
    });
  navigator.locks.request(name, { signal: waiting.signal }, hold).catch(() => {
    if (!waiting.signal.aborted) onTurn(true); // a page that may have no lock shares no storage either
  });
  return () => {
    waiting.abort();
    release();
  };
}

/** `change` reads and writes the lease of this name as one step. */
export function lease(name: string, runtime: Runtime, change: Change, onTurn: OnTurn): Cancel {
  const holder = `${name} ${[...runtime.randomBytes(16)].join(".")}`;
  let isMine = false;
  let isOver = false;
  let cancelTimer: Cancel = () => {};

  const tell = (next: boolean) => {
    if (next === isMine || isOver) return;
    isMine = next;
    onTurn(next);
  };
  const renew = async (): Promise<void> => {
    try {
      let isTaken = false;
      await change((held) => {
        isTaken = isFree(held, holder, runtime.now());
        return isTaken ? { holder, untilMs: runtime.now() + LEASE_MS } : held;
      });
      tell(isTaken);
    } catch {
      tell(true); // a storage that keeps no lease keeps no messages either: each tab sends its own
    }
    if (!isOver) cancelTimer = runtime.after(RENEW_MS, () => void renew());
  };
  void renew();

  return () => {
    isOver = true;
    cancelTimer();
    if (isMine) void change((held) => (held?.holder === holder ? undefined : held)).catch(() => {}); // it runs out by itself
  };
}

/** A lease that ends later than any holder may ask for was written before the clock went back. */
function isFree(held: Lease | undefined, holder: string, nowMs: number): boolean {
  return (
    held === undefined || held.holder === holder || held.untilMs <= nowMs || held.untilMs > nowMs + LEASE_MS
  );
}
