import { Command, SubCommand } from 'nest-commander';
import { CliCommand, CommandGroup } from './cli-command.js';

/** `metrics` alone is the same. */
@SubCommand({
  name: 'list',
  description: 'list every metric with its type, labels, unit and help',
  options: { isDefault: true },
})
export class MetricsListCommand extends CliCommand {
  protected override async work(options: { json?: true }): Promise<number> {
    return (await import('./metrics-list.js')).listAllMetrics(options, this.terminal);
  }
}

@Command({ name: 'metrics', description: 'the metrics of the bot', subCommands: [MetricsListCommand] })
export class MetricsCommand extends CommandGroup {}

export const METRICS_COMMANDS = [MetricsCommand, MetricsListCommand];
