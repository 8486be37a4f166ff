import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../src/monitoring/metrics/names.js';
import { metricsIn, problemsOf } from '../testing/promql.js';

const FOLDER = 'docs/monitoring';
const textOf = (path: string): string => readFileSync(path, 'utf8');

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly runbook_url: string; readonly description: string };
}

/** What Prometheus takes of a file of rules, as far as it is used here; and what each of ours must have. */
const DURATION = { type: 'string', pattern: '^[0-9]+(ms|s|m|h|d)$' };
const RULES = {
  type: 'object',
  required: ['groups'],
  additionalProperties: false,
  properties: {
    groups: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'rules'],
        additionalProperties: false,
        properties: {
          name: { type: 'string' },
          interval: DURATION,
          rules: {
            type: 'array',
            items: {
              type: 'object',
              required: ['alert', 'expr', 'labels', 'annotations'],
              additionalProperties: false,
              properties: {
                alert: { type: 'string', pattern: '^[a-z]+(-[a-z]+)*$' },
                expr: { type: 'string' },
                for: DURATION,
                labels: {
                  type: 'object',
                  required: ['severity'],
                  additionalProperties: false,
                  properties: { severity: { enum: ['critical', 'high', 'medium', 'low'] } },
                },
                annotations: {
                  type: 'object',
                  required: ['summary', 'description', 'runbook_url'],
                  additionalProperties: false,
                  properties: {
                    summary: { type: 'string', minLength: 1 },
                    description: { type: 'string', minLength: 1 },
                    runbook_url: { type: 'string', pattern: '^docs/runbook\\.md#[a-z-]+$' },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

const rulesFile = load(textOf(`${FOLDER}/alerts.rules.yml`)) as { groups: { rules: AlertRule[] }[] };
const rules = rulesFile.groups.flatMap((group) => group.rules);

describe('the alert rules for Prometheus', () => {
  it('have the structure that Prometheus loads', () => {
    const ajv = new Ajv({ allErrors: true });
    expect(ajv.validate(RULES, rulesFile), ajv.errorsText()).toBe(true);
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(rules)('$alert asks for metrics, labels and values that exist', ({ expr }) => {
    expect(problemsOf(expr)).toEqual([]);
  });

  it.each(rules)('$alert shows only labels that its expression keeps', ({ expr, annotations }) => {
    const shown = [...annotations.description.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    for (const label of shown) expect(problemsOf(`sum by (${label}) (${expr})`)).toEqual([]);
  });

  it.each(rules)('$alert links its own section of the runbook', ({ alert, annotations }) => {
    expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert}`);
  });

  it('have a section in the runbook for each alert', () => {
    const headings = [...textOf('docs/runbook.md').matchAll(/^#+ (.*)$/gm)].map(
      ([, heading = '']) => heading,
    );
    for (const { alert } of rules) expect(headings).toContain(alert);
  });

  it.each([
    ['sum(chimera_no_such_thing)', 'no such metric: chimera_no_such_thing'],
    ['chimera_pass_seconds > 1', 'no such metric: chimera_pass_seconds'],
    ['chimera_safety_state{mode="HALTED"}', 'chimera_safety_state has no label mode'],
    ['chimera_safety_state{state="STOPPED"}', 'chimera_safety_state: state is never STOPPED'],
    ['chimera_lease{role=~"leader|boss"}', 'chimera_lease: role is never boss'],
    [
      'sum by (reason) (chimera_positions)',
      'no metric of it has the label reason: sum by (reason) (chimera_positions)',
    ],
    ['rate(chimera_passes_total[5m]', 'no PromQL: '],
  ])('a mistake is found: %s', (expr, problem) => {
    expect(problemsOf(expr)[0]).toContain(problem);
  });
});

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

describe('the dashboard for Grafana', () => {
  const dashboard = JSON.parse(textOf(`${FOLDER}/grafana-dashboard.json`)) as {
    panels: Panel[];
    templating: { list: { query: { query: string } }[] };
    annotations: { list: { expr: string }[] };
  };
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  it.each(panels)(
    '$title asks for metrics, labels and values that exist',
    ({ targets = [], description }) => {
      expect(targets.length).toBeGreaterThan(0);
      expect(description).toMatch(/\.$/);
      for (const { expr, legendFormat } of targets) {
        expect(problemsOf(expr)).toEqual([]);
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect(problemsOf(`sum by (${label}) (${expr})`)).toEqual([]);
      }
    },
  );

  it('marks changes of the safety state, and lets a bot be chosen', () => {
    for (const { expr } of dashboard.annotations.list) expect(problemsOf(expr)).toEqual([]);
    const [, metric = ''] = /label_values\((\w+), instance\)/.exec(
      dashboard.templating.list[0]!.query.query,
    )!;
    expect(Object.keys(METRICS)).toContain(metric);
  });

  it('shows state and money first, then latency, RPC, the process and the pools; no panel covers another', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['State', 'Money', 'Opportunities', 'Latency', 'RPC', 'Process', 'Pools']);
    for (const [index, { gridPos: a }] of panels.entries())
      for (const { gridPos: b } of panels.slice(index + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, JSON.stringify([a, b])).toBe(true);
      }
  });

  it('rules and dashboard together use most of the metrics', () => {
    const used = new Set([
      ...rules.flatMap(({ expr }) => metricsIn(expr)),
      ...panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricsIn(expr))),
    ]);
    const unused = Object.keys(METRICS).filter((name) => !used.has(name));
    expect(unused.length).toBeLessThan(Object.keys(METRICS).length / 3);
  });
});

describe('Prometheus and Grafana find what they are given', () => {
  it('Prometheus loads the rules beside it, and asks the path that the bot serves', () => {
    const file = load(textOf(`${FOLDER}/prometheus.yml`)) as {
      rule_files: string[];
      scrape_configs: { job_name: string; metrics_path: string }[];
    };
    for (const rule of file.rule_files) expect(existsSync(`${FOLDER}/${rule}`)).toBe(true);
    expect(file.scrape_configs).toMatchObject([{ job_name: 'chimera', metrics_path: '/metrics' }]);
    expect(rules.find(({ alert }) => alert === 'bot-down')?.expr).toContain('job="chimera"');
  });

  it('the dashboard asks the source that is provisioned', () => {
    const { datasources } = load(textOf(`${FOLDER}/grafana/datasources/prometheus.yml`)) as {
      datasources: { uid: string; type: string }[];
    };
    const dashboard = textOf(`${FOLDER}/grafana-dashboard.json`);
    for (const [, uid] of dashboard.matchAll(/"type": "prometheus",\s+"uid": "(\w+)"/g))
      expect(datasources).toMatchObject([{ type: 'prometheus', uid }]);
  });
});
