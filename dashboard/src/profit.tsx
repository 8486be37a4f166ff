import { useEffect, useRef, useState } from 'preact/hooks';
import './language.js';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ExecutionAnswer, ExecutionsPage } from './answers.js';
import { ask, textOf } from './api.js';
import { count, dollars } from './amounts.js';
import { Panel, Rows } from './table.js';

const PAUSE_MS = 15_000;
const WEEK_MS = 7 * 86_400_000;
/** Of 200 rows each. Of more the newest are drawn, and the page says so. */
const MOST_PAGES = 10;
const HEIGHT = 220;

interface Week {
  readonly rows: readonly ExecutionAnswer[];
  readonly isWhole: boolean;
}

async function lastWeek(key: string): Promise<Week> {
  const since = new Date(Date.now() - WEEK_MS).toISOString();
  const rows: ExecutionAnswer[] = [];
  let before = '';
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page = await ask<ExecutionsPage>(key, `executions?limit=200&since=${since}${before}`);
    rows.push(...page.executions);
    if (page.next === null) return { rows, isWhole: true };
    before = `&before=${page.next}`;
  }
  return { rows, isWhole: false };
}

/** Running sums in dollars, the oldest first. Floats: for the eye only. */
function sums({ rows }: Week): [number[], number[], number[], number[]] {
  const lines: [number[], number[], number[], number[]] = [[], [], [], []];
  let [simulated, realised, lost] = [0, 0, 0];
  const settled = rows
    .filter(({ outcome, status }) => outcome.kind !== null || status === 'dry-run')
    .map((one) => ({ one, atMs: Date.parse(one.outcome.settledAt ?? one.createdAt) }))
    .sort((a, b) => a.atMs - b.atMs);
  for (const { one, atMs } of settled) {
    const profit = Number(one.outcome.realisedProfitUsd ?? 0);
    if (one.outcome.kind === 'won' || one.status === 'dry-run')
      simulated += Number(one.simulatedNetProfitUsd ?? 0);
    if (one.outcome.kind === 'won') realised += profit;
    else lost -= profit;
    lines[0].push(atMs / 1000);
    lines[1].push(simulated);
    lines[2].push(realised);
    lines[3].push(lost);
  }
  return lines;
}

/** Milliseconds, or a dash while nothing was sent. */
function share(sortedUs: readonly number[], of: number): string {
  const us = sortedUs[Math.min(sortedUs.length - 1, Math.floor(sortedUs.length * of))];
  return us === undefined ? '–' : `${(us / 1000).toFixed(1)} ms`;
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
  return <div ref={place} class="curve" role="img" aria-label="Profit over the last seven days in dollars" />;
}

export function Profit({ apiKey }: { apiKey: string }) {
  const [week, setWeek] = useState<Week>({ rows: [], isWhole: true });
  const [lines, setLines] = useState<uPlot.AlignedData>([[], [], [], []]);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const found = await lastWeek(apiKey);
        if (ended) return;
        setWeek(found);
        setLines(sums(found));
        setProblem('');
      } catch (error) {
        if (!ended) setProblem(textOf(error));
      }
      if (!ended) timer = setTimeout(() => void look(), PAUSE_MS);
    };
    void look();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [apiKey]);
  const last = (place: number): string => dollars(lines[place]?.at(-1) ?? 0);
  const sentUs = week.rows
    .flatMap(({ outcome: { headToSendUs } }) => (headToSendUs === null ? [] : [headToSendUs]))
    .sort((a, b) => a - b);
  const empty = lines[0].length === 0 ? 'The lines begin with the first execution.' : '';
  return (
    <Panel title="Profit of the last seven days" wide>
      <Curve lines={lines} />
      <Rows
        rows={[
          {
            name: 'Simulated',
            value: last(1),
            title: 'Blue. After all costs: of what was won, and of dry runs',
          },
          { name: 'Realised', value: last(2), title: 'Green. After all fees, by the receipts' },
          { name: 'Fees lost', value: last(3), title: 'Red. Paid for transactions that won nothing' },
          {
            name: 'Head to send, p50 and p99',
            value: `${share(sentUs, 0.5)}, ${share(sentUs, 0.99)}`,
            title: 'From the arrival of a head until the transaction was handed to the node',
          },
        ]}
      />
      <p class="soft" role="status">
        {problem ||
          (week.isWhole ? empty : `Only the newest ${count(week.rows.length)} executions are drawn.`)}
      </p>
    </Panel>
  );
}
