/** Charts as SVG, by hand: panels side by side over one logarithmic axis, light or dark as the reader's page is. */

export interface ChartPoint {
  readonly x: number;
  /** The median, and the range of its rounds. */
  readonly y: number;
  readonly low: number;
  readonly high: number;
  /** Measured, but counts for nothing: drawn hollow. */
  readonly isVoid: boolean;
}

export interface Panel {
  readonly title: string;
  readonly points: readonly ChartPoint[];
}

export interface Chart {
  readonly title: string;
  readonly xTitle: string;
  readonly panels: readonly Panel[];
}

const PANEL = { width: 340, height: 200, left: 56, top: 58, gap: 84 };
const BOTTOM = 52;
const TICKS = 4;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #57606a; }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328; }
  .grid { stroke: #d0d7de; }
  .line { stroke: #0969da; fill: none; stroke-width: 2; }
  .range { stroke: #0969da; stroke-opacity: 0.4; stroke-width: 4; }
  .point { fill: #0969da; stroke: #0969da; }
  .void { fill: none; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title { fill: #f0f6fc; }
    .grid { stroke: #3d444d; }
    .line, .range, .point { stroke: #4493f8; }
    .point { fill: #4493f8; }
    .void { fill: none; }
  }`;

export function drawChart({ title, xTitle, panels }: Chart): string {
  const width = PANEL.left + panels.length * (PANEL.width + PANEL.gap) - PANEL.gap + 24;
  const height = PANEL.top + PANEL.height + BOTTOM;
  const drawn = panels.map((panel, index) => {
    const x = PANEL.left + index * (PANEL.width + PANEL.gap);
    return `<g transform="translate(${x} ${PANEL.top})">${drawPanel(panel, xTitle)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<text class="title" x="${PANEL.left}" y="20">${escapeXml(title)}</text>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, points }: Panel, xTitle: string): string {
  const top = niceAbove(Math.max(0, ...points.map(({ high }) => high)));
  const toX = scaleOf(points.map(({ x }) => x));
  const toY = (y: number) => round(PANEL.height * (1 - y / top));
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => (top * index) / TICKS);
  const path = points.map(({ x, y }) => `${toX(x)},${toY(y)}`).join(" ");
  return [
    `<text x="0" y="-14">${escapeXml(title)}</text>`,
    ...ticks.map((tick) => gridLine(toY(tick), numberText(tick))),
    `<polyline class="line" points="${path}"/>`,
    ...points.map((point) => drawPoint(point, toX, toY)),
    `<text x="${PANEL.width / 2}" y="${PANEL.height + 40}" text-anchor="middle">${escapeXml(xTitle)}</text>`,
  ].join("\n");
}

function gridLine(y: number, text: string): string {
  return `<line class="grid" x1="0" x2="${PANEL.width}" y1="${y}" y2="${y}"/><text x="-8" y="${y + 4}" text-anchor="end">${text}</text>`;
}

function drawPoint(
  { x, y, low, high, isVoid }: ChartPoint,
  toX: (x: number) => number,
  toY: (y: number) => number,
) {
  const at = toX(x);
  const range = `<line class="range" x1="${at}" x2="${at}" y1="${toY(low)}" y2="${toY(high)}"/>`;
  const dot = `<circle class="${isVoid ? "point void" : "point"}" cx="${at}" cy="${toY(y)}" r="4"/>`;
  const label = `<text x="${at}" y="${PANEL.height + 20}" text-anchor="middle">${shortText(x)}</text>`;
  return `${range}${dot}${label}`;
}

/** Logarithmic, from the least to the most; one value alone is in the middle. */
function scaleOf(values: readonly number[]): (value: number) => number {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least === most) return () => PANEL.width / 2;
  return (value) => round((PANEL.width * Math.log(value / least)) / Math.log(most / least));
}

/** The next of 1, 2, 4, 5 and 8 times a power of ten: what four ticks divide well. */
export function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 5, 8, 10].find((times) => times * power >= value) ?? 10;
  return step * power;
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** 8192 is 8k to a reader of an axis. */
export function shortText(value: number): string {
  const units = [
    { one: 1e6, name: "M" },
    { one: 1e3, name: "k" },
  ];
  const unit = units.find(({ one }) => value >= one);
  return unit ? `${Number((value / unit.one).toPrecision(2))}${unit.name}` : String(value);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
