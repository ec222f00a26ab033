/**
 * A small, safe part of Markdown as a tree: **bold**, *italic*, ~~struck~~, `code`, ``` blocks, > quotes, and web addresses. Everything
 * else is text as it was typed. Pure; nothing of it is ever HTML.
 */

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "link"; readonly href: string }
  | { readonly kind: "strong" | "em" | "del"; readonly parts: readonly Inline[] };

export type Block =
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "text" | "quote"; readonly parts: readonly Inline[] };

/** Marks within marks are read this deep; what is deeper is text. */
const DEPTH_MAX = 4;
const FENCE = /^```[^\n`]*\n([\s\S]*?)\n?^```[ \t]*$\n?/m;
const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    '(https?:\\/\\/[^\\s<>"`]*[^\\s<>"`.,;:!?)\\]}\'*_~])',
    "\\*\\*(?!\\s)([^\\n]+?)(?<!\\s)\\*\\*(?!\\*)",
    "(?<![\\p{L}\\p{N}*])\\*(?![\\s*])([^*\\n]+?)(?<!\\s)\\*(?![\\p{L}\\p{N}*])",
    "(?<![\\p{L}\\p{N}_])_(?![\\s_])([^_\\n]+?)(?<!\\s)_(?![\\p{L}\\p{N}_])",
    "~~(?!\\s)([^~\\n]+?)(?<!\\s)~~",
  ].join("|"),
  "u",
);

export function parseMarkdown(source: string): readonly Block[] {
  const fence = FENCE.exec(source);
  if (fence === null) return parseLines(source);
  const [whole, code = ""] = fence;
  const before = source.slice(0, fence.index).replace(/\n$/, "");
  return [
    ...parseLines(before),
    { kind: "code", text: code },
    ...parseMarkdown(source.slice(fence.index + whole.length)),
  ];
}

/** Lines that begin with `>` are a quote, those between them text. */
function parseLines(source: string): readonly Block[] {
  if (source === "") return [];
  const runs: { isQuote: boolean; lines: string[] }[] = [];
  for (const line of source.split("\n")) {
    const isQuote = /^> ?\S/.test(line);
    const last = runs.at(-1);
    const text = isQuote ? line.replace(/^> ?/, "") : line;
    if (last?.isQuote === isQuote) last.lines.push(text);
    else runs.push({ isQuote, lines: [text] });
  }
  return runs.map(({ isQuote, lines }) => ({
    kind: isQuote ? "quote" : "text",
    parts: parseInline(lines.join("\n"), 0),
  }));
}

function parseInline(source: string, depth: number): readonly Inline[] {
  const parts: Inline[] = [];
  let rest = source;
  for (let found = find(rest, depth); found !== null; found = find(rest, depth)) {
    if (found.index > 0) parts.push({ kind: "text", text: rest.slice(0, found.index) });
    parts.push(toInline(found, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  return rest === "" ? parts : [...parts, { kind: "text", text: rest }];
}

function find(text: string, depth: number): RegExpExecArray | null {
  return depth > DEPTH_MAX ? null : INLINE.exec(text);
}

function toInline(
  [, code, href, strong, star, underscore, del = ""]: RegExpExecArray,
  depth: number,
): Inline {
  if (code !== undefined) return { kind: "code", text: code };
  if (href !== undefined) return { kind: "link", href };
  if (strong !== undefined) return { kind: "strong", parts: parseInline(strong, depth + 1) };
  const em = star ?? underscore;
  if (em !== undefined) return { kind: "em", parts: parseInline(em, depth + 1) };
  return { kind: "del", parts: parseInline(del, depth + 1) };
}

/** The text alone, on one line: for quotations and for screen readers. */
export function plainText(source: string): string {
  const textOf = (part: Inline): string =>
    part.kind === "link" ? part.href : "parts" in part ? part.parts.map(textOf).join("") : part.text;
  return parseMarkdown(source)
    .map((block) => (block.kind === "code" ? block.text : block.parts.map(textOf).join("")))
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
}
