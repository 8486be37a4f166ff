import { Command, Option } from 'nest-commander';
import { CliCommand } from './cli-command.js';
import type { OnceCommandOptions } from './once-commands.js';

@Command({
  name: 'once',
  description: 'one look at every position of the configured markets, and what follows from it',
})
export class OnceCommand extends CliCommand {
  protected override async work(options: OnceCommandOptions): Promise<number> {
    return (await import('./once-commands.js')).lookOnce(options, this.terminal);
  }

  @Option({ flags: '--config <file>', description: 'default: the file that the bot would read' })
  protected config(file: string): string {
    return file;
  }

  @Option({ flags: '--live', description: 'sends, where execution.mode is live; otherwise it only plans' })
  protected live(): true {
    return true;
  }

  @Option({ flags: '--within <time>', description: 'gives up after it: 60s, 10m or 2h; default: 10m' })
  protected within(time: string): string {
    return time;
  }
}
