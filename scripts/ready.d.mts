/** Types of ready.mjs. */
export function makeReady(needed: readonly ("prisma" | "server" | "web")[]): Promise<void>;
