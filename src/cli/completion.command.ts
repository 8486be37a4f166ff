import { Command } from 'nest-commander';
import { StartupError } from '../domain/errors.js';
import { CliCommand } from './cli-command.js';
import { completionScript, SHELLS } from './completion.js';
import { leavesOf, rootOf } from './misuse.js';
import { registered } from './registered.js';

@Command({
  name: 'completion',
  arguments: '<shell>',
  description: 'print the completion of these commands for bash or zsh',
})
export class CompletionCommand extends CliCommand {
  protected override work({ json = false }: { json?: boolean }, [shell]: readonly string[]): Promise<number> {
    const known = SHELLS.find((one) => one === shell);
    if (!known) throw new StartupError([`${JSON.stringify(shell)}: bash or zsh was expected`]);
    const script = completionScript(known, leavesOf(rootOf(this.command)).map(registered));
    this.terminal.print(json ? JSON.stringify({ shell, script }, null, 2) : script);
    return Promise.resolve(0);
  }
}
