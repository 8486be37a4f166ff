import { Command, Option } from 'nest-commander';
import { CliCommand } from './cli-command.js';
import type { MigrateOptions } from './migrate.js';

@Command({ name: 'migrate', description: 'bring the tables of the database up to date' })
export class MigrateCommand extends CliCommand {
  protected override async work(options: MigrateOptions): Promise<number> {
    return (await import('./migrate.js')).migrateDatabase(options, this.terminal);
  }

  @Option({ flags: '--check', description: 'change nothing, and say whether they are up to date' })
  protected check(): true {
    return true;
  }
}
