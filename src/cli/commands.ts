import type { Command } from './command.js';

/** By its words. Each loads what it needs when it runs. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  'alerts test': {
    about: 'sends one message through each configured channel, and says what was delivered [--json]',
    run: async (options, terminal) =>
      (await import('./alerts-test.command.js')).testAlertsCommand(options, terminal),
  },
  metrics: {
    about: 'lists every metric with its type, labels, unit and help [--json]',
    run: async (options, terminal) =>
      (await import('./metrics.command.js')).listMetricsCommand(options, terminal),
  },
};
