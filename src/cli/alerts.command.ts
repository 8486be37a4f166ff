import { Command, Option, SubCommand } from 'nest-commander';
import { CliCommand, CommandGroup } from './cli-command.js';

@SubCommand({
  name: 'test',
  description: 'send one message through each channel, and say what was delivered',
})
export class AlertsTestCommand extends CliCommand {
  protected override async work({ each, ...options }: { json?: true; each?: true }): Promise<number> {
    if (each) return (await import('./alerts-drill.js')).drill(options, this.terminal);
    return (await import('./alerts-test.js')).testAlerts(options, this.terminal);
  }

  @Option({ flags: '--each', description: 'a drill: each alert once, through each channel; it is kept' })
  protected each(): true {
    return true;
  }
}

@Command({ name: 'alerts', description: 'the channels of alerts', subCommands: [AlertsTestCommand] })
export class AlertsCommand extends CommandGroup {}

export const ALERTS_COMMANDS = [AlertsCommand, AlertsTestCommand];
