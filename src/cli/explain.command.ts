import { Command } from 'nest-commander';
import { CliCommand } from './cli-command.js';

@Command({
  name: 'explain',
  arguments: '<execution>',
  description: 'tell a stored decision: position, candidate, route, costs, bid, outcome',
})
export class ExplainCommand extends CliCommand {
  protected override async work(options: { json?: true }, [id = '']: readonly string[]): Promise<number> {
    return (await import('./explain.js')).explain({ ...options, id }, this.terminal);
  }
}
