import type { DayFigures } from '../database/index.js';
import { formatUsd8 } from '../domain/money.js';
import { plotOf } from './profit-plot.js';
import type { Report } from './report.js';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --soft: #6b7686; --line: #d9dee6; --a: #2563b0; --b: #b8860b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #14181f; --soft: #94a0b2; --line: #303845; --a: #7fb2f0; --b: #e0b64a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 760px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--soft); }
.mark { text-anchor: end; } .day { text-anchor: middle; }
.grid { stroke: var(--line); } .zero { stroke: var(--soft); }
polyline { fill: none; stroke-width: 2; } .realised { stroke: var(--a); fill: var(--a); } .simulated { stroke: var(--b); fill: var(--b); stroke-dasharray: 5 3; } .realised polyline, .simulated polyline { fill: none; }
.key span { margin-right: 1.5rem; } .key i { display: inline-block; width: 1.5em; border-top: 2px solid; margin-right: .5em; vertical-align: middle; } .key .dashed { border-top-style: dashed; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; }
`;

/**
 * A report as one HTML page that needs no other file and runs no script.
 *
 * @param days of the period, each of them, the first one first; at least one
 */
export function profitPage({ title, text, details }: Report, days: readonly DayFigures[]): string {
  const dates = days.map(({ day }) => day);
  const hasDryRuns = days.some(({ dryRuns }) => dryRuns > 0);
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style></head>`,
    '<body>',
    `<h1>${escaped(title)}</h1>`,
    `<p>${escaped(text)}</p>`,
    ...details.map((line) => `<p>${escaped(line)}</p>`),
    '<h2>Profit since the first day</h2>',
    '<p class="key"><span><i style="color:var(--a)"></i>realised, fees of lost transactions taken off</span><span><i class="dashed" style="color:var(--b)"></i>simulated, of what was won</span></p>',
    plotOf('Profit since the first day, in dollars', dates, [
      line('simulated', days, ({ simulatedUsd8 }) => simulatedUsd8),
      line('realised', days, ({ realisedUsd8, lostFeesUsd8 }) => realisedUsd8 - lostFeesUsd8),
    ]),
    ...(hasDryRuns
      ? [
          '<h2>What the dry run would have brought</h2>',
          plotOf('What the dry run would have brought since the first day, in dollars', dates, [
            line('simulated', days, ({ dryRunUsd8 }) => dryRunUsd8),
          ]),
        ]
      : []),
    '<h2>By day</h2>',
    '<table><thead><tr><th>day (UTC)</th><th>won</th><th>simulated</th><th>realised</th><th>lost in fees</th><th>dry run</th></tr></thead><tbody>',
    ...days.map(
      (one) =>
        `<tr><td>${one.day}</td><td>${one.won}</td>${[one.simulatedUsd8, one.realisedUsd8, one.lostFeesUsd8, one.dryRunUsd8].map((usd8) => `<td>${formatUsd8(usd8)}</td>`).join('')}</tr>`,
    ),
    '</tbody></table>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** The sum since the first day, for each day. */
function line(
  name: 'simulated' | 'realised',
  days: readonly DayFigures[],
  of: (day: DayFigures) => bigint,
): Parameters<typeof plotOf>[2][number] {
  let total = 0n;
  return { name, stroke: name, valuesUsd8: days.map((day) => (total += of(day))) };
}

/** Reasons and names come from nodes and tokens: they are text, never markup. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
