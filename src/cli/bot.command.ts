import { Command, Option, SubCommand } from 'nest-commander';
import { CliCommand, CommandGroup } from './cli-command.js';
import type { BotOptions, SteerOptions } from './bot-commands.js';
import type { LeaveOrder } from './left-out.js';
import type { LimitsOptions } from './limits.js';

abstract class BotCommand extends CliCommand {
  @Option({ flags: '--url <url>', description: 'of the API; default: api.host and api.port' })
  protected url(url: string): string {
    return url;
  }
}

@Command({ name: 'status', description: 'say how the running bot fares' })
export class StatusCommand extends BotCommand {
  protected override async work(options: BotOptions): Promise<number> {
    return (await import('./bot-commands.js')).showStatus(options, this.terminal);
  }
}

abstract class SteerCommand extends BotCommand {
  @Option({
    flags: '--reason <text>',
    description: 'why; needed for a change, kept with the name of the key',
  })
  protected reason(text: string): string {
    return text;
  }

  @Option({ flags: '--yes', description: 'do not ask; needed without a terminal' })
  protected yes(): true {
    return true;
  }
}

@Command({ name: 'halt', description: 'halt the running bot: nothing is signed from now on' })
export class HaltCommand extends SteerCommand {
  protected override async work(options: SteerOptions): Promise<number> {
    return (await import('./bot-commands.js')).steer('halt', options, this.terminal);
  }
}

@Command({ name: 'resume', description: 'let a halted bot sign again' })
export class ResumeCommand extends SteerCommand {
  protected override async work(options: SteerOptions): Promise<number> {
    return (await import('./bot-commands.js')).steer('resume', options, this.terminal);
  }
}

@Command({ name: 'limits', description: 'show or narrow the limits of the running bot' })
export class LimitsCommand extends SteerCommand {
  protected override async work(options: LimitsOptions): Promise<number> {
    return (await import('./limits.js')).limits(options, this.terminal);
  }

  @Option({
    flags: '--set <limit...>',
    description: 'narrow a limit: NAME=VALUE in dollars, or NAME=configured',
  })
  protected set(limit: string, earlier: readonly string[] = []): string[] {
    return [...earlier, limit];
  }
}

abstract class LeaveOutCommand extends SteerCommand {
  protected abstract readonly order: LeaveOrder;

  protected override async work(options: SteerOptions, [name = '']: readonly string[]): Promise<number> {
    return (await import('./left-out.js')).leaveOut(this.order, name, options, this.terminal);
  }
}

@SubCommand({ name: 'pause', arguments: '<name>', description: 'leave a market alone' })
export class PauseCommand extends LeaveOutCommand {
  protected override readonly order = 'protocols pause';
}

@SubCommand({ name: 'resume', arguments: '<name>', description: 'end the pause of a market' })
export class UnpauseCommand extends LeaveOutCommand {
  protected override readonly order = 'protocols resume';
}

@Command({
  name: 'protocols',
  description: 'leave a market of the running bot alone, or no longer',
  subCommands: [PauseCommand, UnpauseCommand],
})
export class ProtocolsCommand extends CommandGroup {}

@SubCommand({ name: 'deny', arguments: '<address>', description: 'leave a borrower alone' })
export class DenyCommand extends LeaveOutCommand {
  protected override readonly order = 'borrowers deny';
}

@SubCommand({ name: 'allow', arguments: '<address>', description: 'no longer leave a borrower alone' })
export class AllowCommand extends LeaveOutCommand {
  protected override readonly order = 'borrowers allow';
}

@Command({
  name: 'borrowers',
  description: 'leave a borrower alone, or no longer',
  subCommands: [DenyCommand, AllowCommand],
})
export class BorrowersCommand extends CommandGroup {}

export const BOT_COMMANDS = [
  ...[StatusCommand, HaltCommand, ResumeCommand, LimitsCommand],
  ...[ProtocolsCommand, PauseCommand, UnpauseCommand, BorrowersCommand, DenyCommand, AllowCommand],
];
