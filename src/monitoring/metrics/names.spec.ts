import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Definition } from './definition.js';
import { labelsText, listMetrics } from './listing.js';
import { METRICS } from './names.js';

const ALL = Object.entries<Definition>(METRICS);

describe('the table of metrics', () => {
  it.each(ALL)('%s keeps the conventions of Prometheus', (name, { type, unit, labels, help }) => {
    expect(name).toMatch(/^chimera_[a-z][a-z0-9_]*[a-z0-9]$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    const base = name.replace(/_total$/, '');
    const endings = { seconds: 'seconds', bytes: 'bytes', usd: 'usd', eth: 'eth', ratio: 'ratio' } as const;
    for (const [known, ending] of Object.entries(endings))
      if (unit === known) expect(base.endsWith(`_${ending}`)).toBe(true);
    if (unit === 'timestamp') expect(base).toMatch(/_timestamp_seconds$/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
    for (const [label, values] of Object.entries(labels)) {
      expect(label).toMatch(/^[a-z]+$/);
      if (!('from' in values)) expect(new Set(values).size).toBe(values.length);
    }
  });

  it('equals the table of docs/metrics.md', () => {
    const text = readFileSync('docs/metrics.md', 'utf8');
    const rows = [...text.matchAll(/^\| `(chimera_\w+)` +\| (.*) \|$/gm)].map(([, name, rest = '']) => [
      name,
      ...rest.split('|').map((cell) => cell.trim()),
    ]);
    expect(rows).toEqual(
      listMetrics().map((metric) => [metric.name, metric.type, metric.unit, labelsText(metric), metric.help]),
    );
  });

  it('has few enough series: no combination of label values is without a bound', () => {
    const most = (labels: Definition['labels']): number =>
      Object.values(labels).reduce(
        (product, values) => product * ('from' in values ? 1 : values.length + 1),
        1,
      );
    for (const [name, { labels }] of ALL) expect(most(labels), name).toBeLessThanOrEqual(600);
  });
});
