import { useEffect, useRef, useState } from 'preact/hooks';
import type { PositionsPage, PositionsPlotAnswer } from './answers.js';
import { count, dollars, fall, health, short } from './amounts.js';
import { useAsked } from './asked.js';
import { Panel } from './table.js';

const PAUSE_MS = 2_000;
const HEIGHT = 260;
const MARGIN = { left: 44, right: 12, top: 10, bottom: 34 };
/** The smallest debt of the plot in dollars. */
const LEAST_USD = 1;
/** Of the collateral: those that are named on the axis where there is room. */
const FALLS = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Draws the points, and answers where each one is. Floats: for the eye only. */
function draw(canvas: HTMLCanvasElement, { points }: PositionsPlotAnswer): Point[] {
  const context = canvas.getContext('2d');
  const width = canvas.clientWidth;
  if (!context || width === 0) return [];
  const ratio = devicePixelRatio;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name);
  let [low, high, most] = [0.98, 1.02, 100];
  for (const [factor, usd] of points) {
    low = Math.min(low, Number(factor));
    high = Math.max(high, Number(factor));
    most = Math.max(most, Number(usd));
  }
  low = Math.max(low, 0.8);
  const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const xOf = (factor: number): number =>
    MARGIN.left + ((Math.max(factor, low) - low) / (high - low)) * inner.width;
  const yOf = (usd: number): number =>
    MARGIN.top +
    inner.height *
      (1 - Math.log10(Math.max(usd, LEAST_USD) / LEAST_USD) / Math.log10((most * 2) / LEAST_USD));
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colour('--soft');
  context.strokeStyle = colour('--line');
  for (let usd = LEAST_USD; usd <= most * 2; usd *= 10) {
    const y = Math.round(yOf(usd)) + 0.5;
    context.fillText(`$${usd >= 1e6 ? `${usd / 1e6}M` : usd >= 1e3 ? `${usd / 1e3}k` : usd}`, 4, y + 3);
    context.beginPath();
    context.moveTo(MARGIN.left, y);
    context.lineTo(width - MARGIN.right, y);
    context.stroke();
  }
  const step = high - low > 0.2 ? 0.05 : 0.01;
  for (let at = Math.ceil(low / step) * step; at <= high; at += step)
    context.fillText(at.toFixed(2), xOf(at) - 10, HEIGHT - 6);
  // The crossings ahead: by so much the collateral has to fall.
  let free = xOf(1) + 16;
  for (const share of FALLS) {
    const x = xOf(1 / (1 - share));
    if (1 / (1 - share) > high || x < free) continue;
    context.fillText(fall(1 / (1 - share)), x - 12, HEIGHT - 18);
    free = x + 44;
  }
  context.strokeStyle = colour('--bad');
  context.beginPath();
  context.moveTo(xOf(1), MARGIN.top);
  context.lineTo(xOf(1), HEIGHT - MARGIN.bottom);
  context.stroke();
  const [below, above] = [colour('--bad'), colour('--accent')];
  context.globalAlpha = 0.7;
  return points.map(([factor, usd]) => {
    const [x, y] = [xOf(Number(factor)), yOf(Number(usd))];
    context.fillStyle = Number(factor) < 1 ? below : above;
    context.fillRect(x - 2, y - 2, 4, 4);
    return { x, y };
  });
}

/** Made for the one that is chosen: to write ten thousand amounts takes longer than to draw them. */
function textOf({ points, protocols }: PositionsPlotAnswer, place: number): string | undefined {
  const point = points[place];
  if (!point) return undefined;
  const [factor, usd, market, borrower] = point;
  const name = protocols[Number(market)] ?? '';
  return `${String(borrower)}, ${name}: HF ${health(factor ?? 0)}, debt ${dollars(usd ?? 0)}`;
}

function nearest(points: readonly Point[], x: number, y: number): number {
  let [best, distance] = [-1, 400];
  for (const [place, point] of points.entries()) {
    const its = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (its < distance) [best, distance] = [place, its];
  }
  return best;
}

function Plot({ plot }: { plot: PositionsPlotAnswer | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<Point[]>([]);
  const [chosen, setChosen] = useState(-1);
  useEffect(() => {
    const again = (): void => {
      if (canvas.current && plot) drawn.current = draw(canvas.current, plot);
    };
    again();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    addEventListener('resize', again);
    dark.addEventListener('change', again);
    return () => {
      removeEventListener('resize', again);
      dark.removeEventListener('change', again);
    };
  }, [plot]);
  const said = plot && textOf(plot, chosen);
  const hint = plot?.points.length
    ? 'Point at a position, or go through them with the arrow keys: the lowest health factor comes first.'
    : 'Positions near the edge appear here once the first block is read.';
  return (
    <>
      <canvas
        ref={canvas}
        class="plot"
        tabIndex={0}
        role="img"
        aria-label="Positions by health factor and debt in dollars, on a logarithmic scale. The line is the edge at 1."
        onPointerMove={(event) => setChosen(nearest(drawn.current, event.offsetX, event.offsetY))}
        onKeyDown={(event) => {
          const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          setChosen(Math.max(0, Math.min(drawn.current.length - 1, chosen + by)));
        }}
      />
      <p class="said" role="status">
        {said ?? hint}
      </p>
    </>
  );
}

export function Positions({ apiKey }: { apiKey: string }) {
  const plot = useAsked<PositionsPlotAnswer>(apiKey, 'positions/plot', PAUSE_MS);
  const near = useAsked<PositionsPage>(apiKey, 'positions?limit=10', PAUSE_MS);
  const sum = (holdings: PositionsPage['positions'][number]['debts']): string =>
    holdings.map(({ symbol }) => symbol).join(', ');
  return (
    <Panel title={`Nearest to the edge: ${count(plot.answer?.total ?? 0)}`} wide>
      <Plot plot={plot.answer} />
      <div
        class="scroll list"
        tabIndex={0}
        role="group"
        aria-label="The positions with the lowest health factor"
      >
        <table>
          <thead>
            <tr>
              <th title="Health factor: below 1 a position can be liquidated">HF</th>
              <th
                class="number"
                title="By so much its collateral has to fall, all of it alike, until it can be liquidated"
              >
                Crosses at
              </th>
              <th class="number">Debt</th>
              <th class="number">Collateral</th>
              <th>Tokens</th>
              <th>Market</th>
              <th>Borrower</th>
            </tr>
          </thead>
          <tbody>
            {(near.answer?.positions ?? []).map((one) => (
              <tr key={`${one.market}${one.marketId ?? ''}${one.borrower}`}>
                <td class={Number(one.healthFactor) < 1 ? 'lost' : ''}>{health(one.healthFactor)}</td>
                <td class="number">{fall(one.healthFactor)}</td>
                <td class="number">{dollars(one.debtUsd)}</td>
                <td class="number">{dollars(one.collateralUsd)}</td>
                <td>{`${sum(one.debts)} ← ${sum(one.collaterals)}`}</td>
                <td>{one.protocol}</td>
                <td title={one.borrower}>{short(one.borrower)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p class="soft" role="status">
          {plot.problem || near.problem}
        </p>
      </div>
    </Panel>
  );
}
