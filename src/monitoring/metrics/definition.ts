/**
 * The values that a label may have: the words themselves, or where the few values come from. A value outside
 * of the words is shown as `other`.
 */
export type LabelValues = readonly string[] | { readonly from: 'build' | 'configuration' };

export type Labels = Readonly<Record<string, LabelValues>>;

export type Unit =
  | 'seconds'
  | 'bytes'
  | 'usd'
  | 'eth'
  | 'ratio'
  | 'blocks'
  | 'block number'
  | 'timestamp'
  | 'count'
  | '0 or 1';

export interface Definition<Type extends MetricType = MetricType, L extends Labels = Labels> {
  readonly type: Type;
  /** One sentence for an operator. */
  readonly help: string;
  readonly unit: Unit;
  readonly labels: L;
  /**
   * The value is kept as a bigint of 10^-decimals, and becomes a number where it is shown: it is for people,
   * nothing is decided by it.
   */
  readonly decimals?: number;
  /** The upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
}

// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- it has none
type NoLabels = Readonly<Record<never, never>>;

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** The names of the metrics of a kind in a table. */
export type NamesOf<Table, Type extends MetricType> = {
  [Name in keyof Table]: Table[Name] extends { readonly type: Type } ? Name : never;
}[keyof Table];

/** What has to be given for the labels of a metric. */
export type LabelsOf<Table, Name extends keyof Table> = Table[Name] extends { readonly labels: infer L }
  ? { readonly [Label in keyof L]: string }
  : never;

const DECIMALS: Readonly<Partial<Record<Unit, number>>> = { usd: 8, eth: 18 };

function definition<Type extends MetricType, L extends Labels>(
  type: Type,
  help: string,
  unit: Unit,
  labels: L,
): Definition<Type, L> {
  const decimals = DECIMALS[unit];
  return { type, help, unit, labels, ...(decimals !== undefined && { decimals }) };
}

export function counter<const L extends Labels = NoLabels>(
  help: string,
  unit: Unit = 'count',
  labels: L = {} as L,
): Definition<'counter', L> {
  return definition('counter', help, unit, labels);
}

export function gauge<const L extends Labels = NoLabels>(
  help: string,
  unit: Unit = 'count',
  labels: L = {} as L,
): Definition<'gauge', L> {
  return definition('gauge', help, unit, labels);
}

/** Of seconds: from a millisecond to a minute. */
const BUCKETS = [...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5], ...[1, 2.5, 5, 10, 30, 60]];

export function seconds<const L extends Labels = NoLabels>(
  help: string,
  labels: L = {} as L,
): Definition<'histogram', L> {
  return { ...definition('histogram', help, 'seconds', labels), buckets: BUCKETS };
}
