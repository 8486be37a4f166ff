import { Command, Option } from 'nest-commander';
import { CliCommand } from './cli-command.js';
import type { WatchCommandOptions } from './watch-commands.js';

abstract class WatchingCommand extends CliCommand {
  @Option({ flags: '--rpc <url>', description: 'of a node, over HTTP; default: RPC_PRIMARY_HTTP' })
  protected rpc(url: string): string {
    return url;
  }

  @Option({ flags: '--ws <url>', description: 'of the same node, over WebSocket' })
  protected ws(url: string): string {
    return url;
  }

  @Option({ flags: '--config <file>', description: 'default: the shipped configuration of the chain' })
  protected config(file: string): string {
    return file;
  }

  @Option({ flags: '--dir <directory>', description: 'of its rows and log; default: data/watch-CHAINID' })
  protected dir(directory: string): string {
    return directory;
  }

  @Option({ flags: '--snapshot <file>', description: 'of positions export: begins with these accounts' })
  protected snapshot(file: string): string {
    return file;
  }

  @Option({ flags: '--for <time>', description: 'ends by itself: 60s, 10m, 2h or 100blocks' })
  protected for(time: string): string {
    return time;
  }
}

@Command({
  name: 'watch',
  description: 'try the bot with nothing but a node: what it would do and earn',
})
export class WatchCommand extends WatchingCommand {
  protected override async work(options: WatchCommandOptions): Promise<number> {
    if (!options.json)
      this.terminal.print('Chimera watches: no key, no contract, no ether; nothing is sent.');
    return (await import('./watch-commands.js')).watchChain(options, this.terminal);
  }

  @Option({ flags: '--api-port <port>', description: 'of its API; default: a free one, or that of --config' })
  protected apiPort(port: string): string {
    return port;
  }

  @Option({ flags: '--no-open', description: 'do not open the page in a browser' })
  protected noOpen(): false {
    return false;
  }
}
