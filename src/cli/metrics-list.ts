import { labelsText, listMetrics } from '../monitoring/metrics/listing.js';
import type { Terminal } from './terminal.js';

/** Lists every metric that the bot exports. It needs no configuration. */
export function listAllMetrics({ json = false }: { json?: boolean }, terminal: Terminal): Promise<number> {
  const metrics = listMetrics();
  if (json) terminal.print(JSON.stringify(metrics, null, 2));
  else {
    const width = Math.max(...metrics.map(({ name }) => name.length));
    for (const metric of metrics) {
      const { name, type, unit, help } = metric;
      terminal.print(`${name.padEnd(width)}  ${type.padEnd(9)}  ${unit.padEnd(12)}  ${labelsText(metric)}`);
      terminal.print(`${' '.repeat(width)}  ${help}`);
    }
  }
  return Promise.resolve(0);
}
