/** Charts: what is measured is where it belongs, and an SVG is well formed whatever its texts hold. */
import { describe, expect, it } from "vitest";
import { drawChart, niceAbove, shortText, type ChartPoint } from "./chart.ts";
import { CURVES } from "./curves.ts";
import { drawCurve } from "./run-curves.ts";

const point = (x: number, y: number, more: Partial<ChartPoint> = {}): ChartPoint => ({
  x,
  y,
  low: y,
  high: y,
  isVoid: false,
  ...more,
});

function chart(points: readonly ChartPoint[], title = "Cost"): string {
  return drawChart({ title, xTitle: "members", panels: [{ title: "µs", points }] });
}

describe("a chart", () => {
  it("has equal steps for equal factors along, and the height in proportion to the value", () => {
    const dots = [
      ...chart([point(10, 0), point(100, 5), point(1000, 10)]).matchAll(/cx="(\S+)" cy="(\S+)"/g),
    ];
    expect(dots.map(([, x, y]) => [Number(x), Number(y)])).toEqual([
      [0, 200],
      [170, 100],
      [340, 0],
    ]);
  });

  it("shows the range of the rounds, and a void point hollow", () => {
    const svg = chart([point(1, 5, { low: 2.5, high: 10 }), point(10, 5, { isVoid: true })]);
    expect(svg).toContain('y1="150" y2="0"');
    expect(svg.match(/class="point void"/g)).toHaveLength(1);
    expect(svg.match(/class="point"/g)).toHaveLength(1);
  });

  it("draws one point alone in the middle", () => {
    expect(chart([point(7, 1)])).toContain('cx="170"');
  });

  it("keeps texts apart from its own marks", () => {
    const svg = chart([point(1, 1)], 'a <b> & "c"');
    expect(svg).not.toContain("<b>");
    expect(svg).toContain("a &#60;b&#62; &#38; &#34;c&#34;");
  });

  it("is light or dark as its page", () => {
    expect(chart([point(1, 1)])).toContain("prefers-color-scheme: dark");
  });

  it.each([
    [0, 1],
    [0.03, 0.04],
    [1, 1],
    [3, 4],
    [7.2, 8],
    [9, 10],
    [120, 200],
  ])("an axis up to %d ends at %d", (value, end) => {
    expect(niceAbove(value)).toBeCloseTo(end);
  });

  it.each([
    [50, "50"],
    [8192, "8.2k"],
    [10_000_000, "10M"],
  ])("%d is read as %s", (value, text) => {
    expect(shortText(value)).toBe(text);
  });
});

describe.each(CURVES)("the curve of $name", (curve) => {
  it("goes upwards, quick and full, and has a panel for each of its figures", () => {
    for (const xs of [curve.xs.quick, curve.xs.full]) expect(xs).toEqual(xs.toSorted((a, b) => a - b));
    const figures = { values: curve.panels.map(() => 1), isVoid: false };
    const svg = drawCurve(curve, [{ x: 10, rounds: [figures, figures] }]);
    for (const panel of curve.panels) expect(svg).toContain(`>${panel}</text>`);
    expect(svg.match(/<circle/g)).toHaveLength(curve.panels.length);
  });
});
