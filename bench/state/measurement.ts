/** One measurement, as `--json` prints them. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The plain way in the same run; null where there is none. */
  readonly baseline: number | null;
  /** value / baseline. */
  readonly ratio: number | null;
}

/** What a group of measurements is told. */
export interface GroupOptions {
  /** How many positions "many" are. */
  readonly positions: number;
  /** Told what is being done, for a person to read. */
  readonly progress: (step: string) => void;
}

export function measurement(
  name: string,
  value: number,
  unit: string,
  baseline: number | null = null,
): Measurement {
  const ratio = baseline === null ? null : significant(value / baseline);
  return { name, value: significant(value), unit, baseline: baseline && significant(baseline), ratio };
}

/** Milliseconds that the work takes. */
export function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** As {@link timed}, until the work's promise is fulfilled. */
export async function timedAsync(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Milliseconds that this process has computed so far. On a busy machine it says more than a clock. Garbage
 * collection and compilation beside the main thread are in it.
 */
export function userMs(): number {
  return process.cpuUsage().user / 1_000;
}

/** Integers as they are, fractions to four digits. */
function significant(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}

/** How many are in one of the two and not in the other. */
export function differences<T>(ours: ReadonlySet<T>, exact: ReadonlySet<T>): number {
  const both = [...ours].filter((one) => exact.has(one)).length;
  return ours.size + exact.size - 2 * both;
}
