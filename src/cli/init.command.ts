import { Command, Option } from 'nest-commander';
import { CliCommand } from './cli-command.js';
import type { InitOptions } from './init.js';

abstract class WritingCommand extends CliCommand {
  @Option({ flags: '--markets <names>', description: 'with a comma between them; default: all' })
  protected markets(names: string): string {
    return names;
  }

  @Option({ flags: '--database <where>', description: 'embedded, or own for a server of yours' })
  protected database(where: string): string {
    return where;
  }

  @Option({ flags: '--alerts <channel>', description: 'none, slack, telegram, pagerduty or webhook' })
  protected alerts(channel: string): string {
    return channel;
  }

  @Option({ flags: '--chat <id>', description: 'of the chat, with --alerts telegram' })
  protected chat(id: string): string {
    return id;
  }

  @Option({ flags: '--file <file>', description: 'the file to write; default: chimera.yaml' })
  protected file(file: string): string {
    return file;
  }

  @Option({ flags: '--force', description: 'overwrite the file' })
  protected force(): true {
    return true;
  }
}

@Command({
  name: 'init',
  description: 'write a configuration file after a few questions; it is a dry run',
})
export class InitCommand extends WritingCommand {
  protected override async work(options: InitOptions): Promise<number> {
    return (await import('./init.js')).init(options, this.terminal);
  }

  @Option({ flags: '--chain <chain>', description: 'base, ethereum, optimism or arbitrum, or its number' })
  protected chain(chain: string): string {
    return chain;
  }

  @Option({ flags: '--rpc-env <name>', description: 'the variable with the URL; default: RPC_PRIMARY_HTTP' })
  protected rpcEnv(name: string): string {
    return name;
  }

  @Option({ flags: '--rpc-file <path>', description: 'the file that holds the URL, in place of --rpc-env' })
  protected rpcFile(path: string): string {
    return path;
  }

  @Option({ flags: '--backup-env <name>', description: 'of a second node; default: RPC_BACKUP_HTTP' })
  protected backupEnv(name: string): string {
    return name;
  }
}
