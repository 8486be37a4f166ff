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
  'positions export': {
    about:
      'writes the accounts of each market up to its block to a file --file FILE [--market NAME] [--json]',
    run: async (options, terminal) =>
      (await import('./positions-export.command.js')).exportPositionsCommand(options, terminal),
  },
  'positions import': {
    about:
      'proves the accounts of a file on the chain, and begins with them --file FILE [--market NAME] [--dry-run] [--incomplete] [--json]',
    run: async (options, terminal) =>
      (await import('./positions-import.command.js')).importPositionsCommand(options, terminal),
  },
};
