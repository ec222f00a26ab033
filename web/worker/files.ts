/** The hashed files that a document of the page names. Pure. */

export function filesOf(html: string): readonly string[] {
  const names = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, name = ""]) => name);
  return [...new Set(names)];
}
