/** Types of lock.mjs. */
export function withLock<T>(
  file: string,
  work: (holdFor: (childPid: number) => void) => Promise<T>,
  onWait?: (holderPid: string) => void,
): Promise<T>;
export function isAlive(pid: number): boolean;
