import { parser } from '@prometheus-io/lezer-promql';
import { METRICS } from '../src/monitoring/metrics/names.js';
import type { Definition } from '../src/monitoring/metrics/definition.js';

/** Labels that Prometheus adds to every series. */
const OF_PROMETHEUS = ['instance', 'job', 'chain'];
/** Series that Prometheus makes itself. */
const SERIES_OF_PROMETHEUS = ['up'];
/** What Grafana puts in before it asks. */
const VARIABLE = /\$\w+/g;

interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

interface Expression {
  readonly selectors: readonly Selector[];
  /** The labels after by, without, on, ignoring. */
  readonly grouping: readonly string[];
  /** The first piece of text that is no PromQL. */
  readonly error: string | undefined;
}

function parsed(text: string): Expression {
  const selectors: { metric: string; matchers: Matcher[] }[] = [];
  const grouping: string[] = [];
  let error: string | undefined;
  const textOf = ({ from, to }: { from: number; to: number }): string => text.slice(from, to);
  parser.parse(text).iterate({
    enter: (node) => {
      const parent = node.node.parent?.name;
      if (node.type.isError) error ??= `${textOf(node)} at ${node.from} of ${text}`;
      else if (node.name === 'VectorSelector') {
        const identifier = node.node.getChild('Identifier');
        selectors.push({ metric: identifier ? textOf(identifier) : '', matchers: [] });
      } else if (node.name === 'UnquotedLabelMatcher') {
        const part = (name: string): string => {
          const child = node.node.getChild(name);
          return child ? textOf(child) : '';
        };
        const matcher = {
          label: part('LabelName'),
          operator: part('MatchOp'),
          value: part('StringLiteral').slice(1, -1),
        };
        selectors.at(-1)?.matchers.push(matcher);
      } else if (node.name === 'LabelName' && parent === 'GroupingLabels') grouping.push(textOf(node));
    },
  });
  return { selectors, grouping, error };
}

/** What of an expression the bot does not export: syntax, metrics, labels, values. Empty when all is well. */
export function problemsOf(text: string): string[] {
  const { selectors, grouping, error } = parsed(text);
  if (error !== undefined) return [`no PromQL: ${error}`];
  const known = new Set(OF_PROMETHEUS);
  const problems = selectors.flatMap((selector) => {
    for (const label of labelsOf(selector.metric) ?? []) known.add(label);
    return problemsOfSelector(selector);
  });
  const strange = grouping.filter((label) => !known.has(label));
  return [...problems, ...strange.map((label) => `no metric of it has the label ${label}: ${text}`)];
}

/** The metrics that an expression names. */
export function metricsIn(text: string): string[] {
  return parsed(text).selectors.map(({ metric }) => definitionOf(metric)?.[0] ?? metric);
}

function problemsOfSelector({ metric, matchers }: Selector): string[] {
  const labels = labelsOf(metric);
  if (!labels) return [`no such metric: ${metric}`];
  return matchers.flatMap(({ label, operator, value }) => {
    if (!labels.includes(label)) return [`${metric} has no label ${label}`];
    const values = definitionOf(metric)?.[1].labels[label];
    if (!values || 'from' in values || VARIABLE.test(value)) return [];
    const wanted = operator.endsWith('~') ? value.split('|') : [value];
    return wanted.filter((one) => !values.includes(one)).map((one) => `${metric}: ${label} is never ${one}`);
  });
}

/** The metric of the table that a series belongs to: a histogram has several. */
function definitionOf(series: string): [string, Definition] | undefined {
  const table: Readonly<Record<string, Definition>> = METRICS;
  const exact = table[series];
  if (exact) return exact.type === 'histogram' ? undefined : [series, exact];
  const name = series.replace(/_(bucket|sum|count)$/, '');
  const histogram = table[name];
  return name !== series && histogram?.type === 'histogram' ? [name, histogram] : undefined;
}

function labelsOf(series: string): string[] | undefined {
  if (SERIES_OF_PROMETHEUS.includes(series)) return OF_PROMETHEUS;
  const found = definitionOf(series);
  if (!found) return undefined;
  const bound = series.endsWith('_bucket') ? ['le'] : [];
  return [...Object.keys(found[1].labels), ...bound, ...OF_PROMETHEUS];
}
