import { Command, Option } from 'nest-commander';
import { CliCommand } from './cli-command.js';
import type { BotOptions, SteerOptions } from './bot-commands.js';
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
  @Option({ flags: '--reason <text>', description: 'why; it is kept, with the name of the key' })
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

export const BOT_COMMANDS = [StatusCommand, HaltCommand, ResumeCommand, LimitsCommand];
