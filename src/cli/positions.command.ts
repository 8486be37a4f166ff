import { Command, Option, SubCommand } from 'nest-commander';
import { CliCommand, CommandGroup } from './cli-command.js';
import type { ListOptions } from './positions-list.js';
import type { ExportOptions } from './positions-export.js';
import type { ImportOptions } from './positions-import.js';

abstract class PositionsFileCommand extends CliCommand {
  @Option({ flags: '--file <file>', description: 'the file, for instance positions.ndjson.gz' })
  protected file(file: string): string {
    return file;
  }

  @Option({ flags: '--market <name>', description: 'only this market of the configuration' })
  protected market(name: string): string {
    return name;
  }
}

@SubCommand({ name: 'export', description: 'write the accounts of each market up to its block to a file' })
export class PositionsExportCommand extends PositionsFileCommand {
  protected override async work(options: ExportOptions): Promise<number> {
    return (await import('./positions-export.js')).exportPositions(options, this.terminal);
  }
}

@SubCommand({
  name: 'import',
  description: 'prove the accounts of a file on the chain, and begin with them',
})
export class PositionsImportCommand extends PositionsFileCommand {
  protected override async work(options: ImportOptions): Promise<number> {
    return (await import('./positions-import.js')).importPositions(options, this.terminal);
  }

  @Option({ flags: '--dry-run', description: 'prove the file, and write nothing' })
  protected dryRun(): true {
    return true;
  }

  @Option({ flags: '--incomplete', description: 'also take a file that lacks borrowers' })
  protected incomplete(): true {
    return true;
  }
}

@SubCommand({ name: 'list', description: 'list the positions near the edge, as the running bot has them' })
export class PositionsListCommand extends CliCommand {
  protected override async work(options: ListOptions): Promise<number> {
    return (await import('./positions-list.js')).listPositions(options, this.terminal);
  }

  @Option({ flags: '--below <factor>', description: 'a health factor; default: 1.05' })
  protected below(factor: string): string {
    return factor;
  }

  @Option({ flags: '--market <name>', description: 'only this market of the configuration' })
  protected market(name: string): string {
    return name;
  }

  @Option({ flags: '--limit <count>', description: 'at most so many, the lowest first; default: 50' })
  protected limit(count: string): string {
    return count;
  }

  @Option({ flags: '--url <url>', description: 'of the API; default: api.host and api.port' })
  protected url(url: string): string {
    return url;
  }
}

@Command({
  name: 'positions',
  description: 'the positions of the bot',
  subCommands: [PositionsExportCommand, PositionsImportCommand, PositionsListCommand],
})
export class PositionsCommand extends CommandGroup {}

export const POSITIONS_COMMANDS = [
  PositionsCommand,
  PositionsExportCommand,
  PositionsImportCommand,
  PositionsListCommand,
];
