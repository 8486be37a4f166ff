import { Command, Option } from 'nest-commander';
import { CliCommand } from './cli-command.js';
import type { ReportOptions } from './report.js';

@Command({
  name: 'report',
  description: 'say what a time brought, what it cost, and what was left, from the rows of the database',
})
export class ReportCommand extends CliCommand {
  protected override async work(options: ReportOptions): Promise<number> {
    return (await import('./report.js')).report(options, this.terminal);
  }

  @Option({
    flags: '--since <when>',
    description: '7d, 24h, or a day or an instant in UTC',
    defaultValue: '7d',
  })
  protected since(when: string): string {
    return when;
  }

  @Option({ flags: '--until <when>', description: 'as --since; default: now' })
  protected until(when: string): string {
    return when;
  }

  @Option({ flags: '--wallet <address>', description: 'only of this wallet; default: all of the chain' })
  protected wallet(address: string): string {
    return address;
  }

  @Option({ flags: '--format <name>', description: 'text, csv or html', defaultValue: 'text' })
  protected format(name: string): string {
    return name;
  }
}
