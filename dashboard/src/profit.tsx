import { useEffect, useMemo, useRef } from 'preact/hooks';
import './language.js';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ProfitAnswer } from './answers.js';
import { count, dollars, milliseconds } from './amounts.js';
import type { Asked } from './asked.js';
import { Panel, Rows } from './table.js';

const HEIGHT = 220;
/** The periods to choose from, in milliseconds. */
export const SPANS = {
  'An hour': 3_600_000,
  'A day': 86_400_000,
  'A week': 604_800_000,
  'A month': 2_592_000_000,
} as const;
export type Span = keyof typeof SPANS;

/** The running sums in dollars, the oldest first. Floats: for the eye only. */
function linesOf({ from, points }: ProfitAnswer): uPlot.AlignedData {
  const start = { at: from, simulatedUsd: '0', realisedUsd: '0', lostFeesUsd: '0' };
  // A line from nothing to the first point, unless it began long before.
  const all = points.length === 1 ? [{ ...start, at: points[0]?.at ?? from }, ...points] : points;
  return [
    all.map(({ at }) => Date.parse(at) / 1000),
    all.map(({ simulatedUsd }) => Number(simulatedUsd)),
    all.map(({ realisedUsd }) => Number(realisedUsd)),
    all.map(({ lostFeesUsd }) => Number(lostFeesUsd)),
  ];
}

function Curve({ lines }: { lines: uPlot.AlignedData }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  useEffect(() => {
    const within = place.current;
    if (!within) return undefined;
    const colour = (name: string) => () => getComputedStyle(within).getPropertyValue(name);
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 } };
    const line = (label: string, name: string) => ({ label, stroke: colour(name), width: 1.5 });
    const drawn = new uPlot(
      {
        width: within.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        series: [{}, line('Simulated', '--accent'), line('Realised', '--good'), line('Fees lost', '--bad')],
        axes: [axis, { ...axis, size: 70, values: (_, values) => values.map((usd) => `$${count(usd)}`) }],
      },
      lines,
      within,
    );
    plot.current = drawn;
    const fit = (): void => drawn.setSize({ width: within.clientWidth, height: HEIGHT });
    addEventListener('resize', fit);
    return () => {
      removeEventListener('resize', fit);
      drawn.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(lines), [lines]);
  return <div ref={place} class="curve" role="img" aria-label="Profit over the period in dollars" />;
}

export function Profit({
  asked: { answer, problem },
  span,
  onSpan,
}: {
  asked: Asked<ProfitAnswer>;
  span: Span;
  onSpan: (span: Span) => void;
}) {
  const lines = useMemo<uPlot.AlignedData>(() => (answer ? linesOf(answer) : [[], [], [], []]), [answer]);
  const { p50Us = null, p99Us = null } = answer?.headToSend ?? {};
  return (
    <Panel title="Profit" wide>
      <p class="choices" role="group" aria-label="Period">
        {(Object.keys(SPANS) as Span[]).map((one) => (
          <button key={one} type="button" aria-pressed={one === span} onClick={() => onSpan(one)}>
            {one}
          </button>
        ))}
      </p>
      <Curve lines={lines} />
      <Rows
        rows={[
          {
            name: 'Simulated',
            value: answer ? dollars(answer.simulatedUsd) : '',
            title: 'Blue. After all costs: of what was won, and of dry runs',
          },
          {
            name: 'Realised',
            value: answer ? dollars(answer.realisedUsd) : '',
            title: 'Green. After all fees, by the receipts',
          },
          {
            name: 'Fees lost',
            value: answer ? dollars(answer.lostFeesUsd) : '',
            title: 'Red. Paid for transactions that won nothing',
          },
          {
            name: 'Head to send, p50 and p99',
            value: answer ? `${milliseconds(p50Us)}, ${milliseconds(p99Us)}` : '',
            title: 'From the arrival of a head until the transaction was handed to the node',
          },
        ]}
      />
      <p class="soft" role="status">
        {problem || (answer?.points.length === 0 ? 'The lines begin with the first execution.' : '')}
      </p>
    </Panel>
  );
}

/** From all positions to what was won: how it stands now, and what the period brought. */
export function Funnel({
  positions,
  profit,
}: {
  positions: { readonly total: number; readonly near: number; readonly liquidatable: number };
  profit: ProfitAnswer | undefined;
}) {
  const { total, near, liquidatable } = positions;
  // Empty until it is known: a number that comes moves nothing, one that grows does.
  const steps = [
    { name: 'With debt', number: total, title: 'Now' },
    {
      name: 'Near the edge',
      number: near,
      title: 'Now: below detector.watchBelowHealthFactor, looked at in each block',
    },
    { name: 'Below 1', number: liquidatable, title: 'Now: can be liquidated' },
    { name: 'Simulated', number: profit?.decisions.simulated, title: 'Plans in the period' },
    {
      name: 'Would be sent',
      number: profit?.decisions.dryRun,
      title: 'In the period, by a dry run',
    },
    { name: 'Sent', number: profit?.decisions.signed, title: 'Signed in the period' },
    { name: 'Won', number: profit?.outcomes.won, title: 'Settled in the period' },
  ];
  const most = Math.log1p(Math.max(1, ...steps.map(({ number = 0 }) => number)));
  return (
    <Panel title="From positions to profit">
      {steps.map(({ name, number, title }) => (
        <div class="step" key={name} title={title}>
          <span>{name}</span>
          <span>{number === undefined ? '' : count(number)}</span>
          <i style={{ width: `${(Math.log1p(number ?? 0) / most) * 100}%` }} />
        </div>
      ))}
      <div class="step" title="After all fees, in the period">
        <span>Profit</span>
        <span>{profit ? dollars(profit.realisedUsd) : ''}</span>
      </div>
    </Panel>
  );
}

/** Why plans of the period were left, and who was first. */
export function Reasons({ profit }: { profit: ProfitAnswer | undefined }) {
  const counted = (list: ProfitAnswer['leftBecause']) =>
    list.slice(0, 6).map(({ what, count: number }) => ({ name: what, value: count(number) }));
  const { leftBecause = [], rivals = [] } = profit ?? {};
  return (
    <Panel title="Left, and lost to">
      {leftBecause.length + rivals.length === 0 ? <p class="soft">Nothing in the period.</p> : null}
      <Rows rows={[...counted(leftBecause), ...counted(rivals)]} />
    </Panel>
  );
}
