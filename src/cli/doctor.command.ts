import { Command, Option } from 'nest-commander';
import { CliCommand } from './cli-command.js';
import type { DoctorOptions } from './doctor.js';

@Command({
  name: 'doctor',
  description: 'look at everything that the bot needs, and say what is wrong and how to mend it',
})
export class DoctorCommand extends CliCommand {
  protected override async work(options: DoctorOptions): Promise<number> {
    return (await import('./doctor.js')).doctor(options, this.terminal);
  }

  @Option({ flags: '--live', description: 'also what must hold before the first live run' })
  protected live(): true {
    return true;
  }
}
