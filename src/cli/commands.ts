import type { Command } from './command.js';

/** By its words. Each loads what it needs when it runs. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  metrics: {
    about: 'lists every metric with its type, labels, unit and help [--json]',
    run: async (options, terminal) =>
      (await import('./metrics.command.js')).listMetricsCommand(options, terminal),
  },
};
