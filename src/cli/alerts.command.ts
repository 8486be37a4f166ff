import { Command, SubCommand } from 'nest-commander';
import { CliCommand, CommandGroup } from './cli-command.js';

@SubCommand({
  name: 'test',
  description: 'send one message through each channel, and say what was delivered',
})
export class AlertsTestCommand extends CliCommand {
  protected override async work(options: { json?: true }): Promise<number> {
    return (await import('./alerts-test.js')).testAlerts(options, this.terminal);
  }
}

@Command({ name: 'alerts', description: 'the channels of alerts', subCommands: [AlertsTestCommand] })
export class AlertsCommand extends CommandGroup {}

export const ALERTS_COMMANDS = [AlertsCommand, AlertsTestCommand];
