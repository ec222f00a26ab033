/** The part of Markdown that messages have: what is drawn, and that everything else stays text. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMarkdown, plainText, type Block, type Inline } from "../src/markdown.ts";

/** The tree in short: `<kind …>`. */
function short(source: string): string {
  const inline = (part: Inline): string => {
    if (part.kind === "text") return part.text;
    if (part.kind === "link") return `<a ${part.href}>`;
    return "parts" in part ? `<${part.kind} ${part.parts.map(inline).join("")}>` : `<code ${part.text}>`;
  };
  const block = (one: Block) =>
    one.kind === "code" ? `[code ${one.text}]` : `[${one.kind} ${one.parts.map(inline).join("")}]`;
  return parseMarkdown(source).map(block).join("");
}

describe("a message's Markdown", () => {
  it.each([
    ["plain", "[text plain]"],
    [
      "a **bold** and *slanted* and _leaning_ and ~~gone~~",
      "[text a <strong bold> and <em slanted> and <em leaning> and <del gone>]",
    ],
    ["**a *b* c**", "[text <strong a <em b> c>]"],
    ["`**code**` stays", "[text <code **code**> stays]"],
    ["one\ntwo", "[text one\ntwo]"],
    ["> said\n> twice\nanswer", "[quote said\ntwice][text answer]"],
    [
      "before\n```ts\nconst a = **1**;\n\n  b\n```\nafter",
      "[text before][code const a = **1**;\n\n  b][text after]",
    ],
    ["```\nnever closed", "[text ```\nnever closed]"],
    ["https://example.org/a_b_c?d=*e*.", "[text <a https://example.org/a_b_c?d=*e>*.]"],
    ["see **https://example.org**", "[text see <strong <a https://example.org>>]"],
    ["2 * 3 * 4 and snake_case_name", "[text 2 * 3 * 4 and snake_case_name]"],
    ["a > b", "[text a > b]"],
    ["عنوان **عريض**", "[text عنوان <strong عريض>]"],
    ["<img src=x onerror=alert(1)>", "[text <img src=x onerror=alert(1)>]"],
    ["javascript:alert(1)", "[text javascript:alert(1)]"],
    ["[click](javascript:alert(1))", "[text [click](javascript:alert(1))]"],
  ])("%j", (source, tree) => expect(short(source)).toBe(tree));

  it("as plain text is on one line and without marks", () => {
    expect(plainText("**a**\n> b\n```\nc\n```\n`d` https://e.org")).toBe("a b c d https://e.org");
  });

  it("loses no letter or digit of whatever is written, and leads to web addresses only", () => {
    const letters = (text: string) => text.replaceAll(/[^\p{L}\p{N}]/gu, "");
    const piece = fc.oneof(
      fc.constantFrom(
        "**",
        "*",
        "_",
        "~~",
        "`",
        "```",
        "\n",
        "> ",
        " ",
        "https://x.org",
        "javascript:",
        "<b>",
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const source = pieces.join("").replaceAll(/^```.*$/gm, "```");
        expect(letters(plainText(source))).toBe(letters(source));
        expect(short(source)).not.toMatch(/<a (?!https?:)/);
      }),
    );
  });

  it.each(["**a ", "*a ", "`a", "```\n", "> ", "_a *b ", "https://"])(
    "a longest message of %j is read in well under a second",
    (piece) => {
      const startedMs = performance.now();
      parseMarkdown(piece.repeat(8192 / piece.length));
      expect(performance.now() - startedMs).toBeLessThan(1_000);
    },
  );
});
