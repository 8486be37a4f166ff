import type { Definition } from './definition.js';
import { METRICS } from './names.js';

/** One metric, for people and for `npx chimera metrics list --json`. */
export interface Listed {
  readonly name: string;
  readonly type: Definition['type'];
  readonly unit: Definition['unit'];
  /** The values of each label; a text where they are not known before the start. */
  readonly labels: Readonly<Record<string, readonly string[] | string>>;
  readonly help: string;
}

const SOURCES = { build: 'of the program', configuration: 'of the configuration' } as const;

export function listMetrics(): readonly Listed[] {
  return Object.entries<Definition>(METRICS).map(([name, { type, unit, labels, help }]) => ({
    name,
    type,
    unit,
    labels: Object.fromEntries(
      Object.entries(labels).map(([label, values]) => [
        label,
        'from' in values ? SOURCES[values.from] : values,
      ]),
    ),
    help,
  }));
}

/** The labels of a metric, as one text for a table. */
export function labelsText({ labels }: Listed): string {
  return Object.keys(labels).join(', ') || '-';
}
