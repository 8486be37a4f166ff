import { formatUsd8 } from '../domain/money.js';

/** One line of the plot. `values` has a place for each day. */
export interface PlotLine {
  readonly name: string;
  /** The class of its stroke in the style of the page. */
  readonly stroke: string;
  readonly valuesUsd8: readonly bigint[];
}

const WIDTH = 720;
const HEIGHT = 260;
const EDGE = { left: 80, right: 12, top: 12, bottom: 28 };
const MOST_DATES = 8;
/** Distances between two marks of the scale: these, by powers of ten. */
const STEPS = [1, 2, 5, 10];
const MARKS = 5;

/**
 * Lines over days as SVG. The places of points are floats: they are drawn, not counted.
 *
 * @param days YYYY-MM-DD, at least one
 */
export function plotOf(title: string, days: readonly string[], lines: readonly PlotLine[]): string {
  const values = lines.flatMap(({ valuesUsd8 }) => valuesUsd8.map(dollars));
  const marks = marksOf(Math.min(0, ...values), Math.max(0, ...values));
  const [low, high] = [marks[0] ?? 0, marks.at(-1) ?? 1];
  const x = (index: number): number =>
    EDGE.left + (days.length < 2 ? 0.5 : index / (days.length - 1)) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value: number): number =>
    EDGE.top + ((high - value) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const every = Math.ceil(days.length / MOST_DATES);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    ...marks.map(
      (mark) =>
        `<line class="${mark === 0 ? 'zero' : 'grid'}" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${at(y(mark))}" y2="${at(y(mark))}"/>` +
        `<text class="mark" x="${EDGE.left - 8}" y="${at(y(mark) + 4)}">${label(mark)}</text>`,
    ),
    ...days.flatMap((day, index) =>
      index % every === 0
        ? [`<text class="day" x="${at(x(index))}" y="${HEIGHT - 8}">${day.slice(5)}</text>`]
        : [],
    ),
    ...lines.map(({ name, stroke, valuesUsd8 }) => {
      const points = valuesUsd8.map((value, index) => `${at(x(index))},${at(y(dollars(value)))}`);
      const dots = points
        .map((point) => point.split(','))
        .map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2.5"/>`);
      return `<g class="${stroke}"><title>${name}</title><polyline points="${points.join(' ')}"/>${dots.join('')}</g>`;
    }),
    '</svg>',
  ].join('\n');
}

/** Round numbers from below the lowest value to above the highest one; two at least. */
function marksOf(low: number, high: number): number[] {
  const raw = (high - low || 1) / MARKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * (STEPS.find((one) => one * power >= raw) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

function dollars(usd8: bigint): number {
  return Number(formatUsd8(usd8));
}

function label(value: number): string {
  const digits = Number.isInteger(value) ? 0 : 2;
  return `${value < 0 ? '-' : ''}$${Math.abs(value).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

function at(place: number): string {
  return place.toFixed(1);
}
