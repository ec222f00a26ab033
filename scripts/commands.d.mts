/** Types of commands.mjs. */
export interface Command {
  entry: string;
  needs: readonly ("prisma" | "server" | "web")[];
  usage: string;
  summary: string;
  details: string;
}
export const commands: Readonly<Record<string, Command>>;
export function helpFor(name: string): string;
