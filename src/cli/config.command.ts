import { Command, SubCommand } from 'nest-commander';
import { CliCommand, CommandGroup } from './cli-command.js';

@SubCommand({
  name: 'dump',
  description: 'print every value in use, and where it comes from; secrets are masked',
})
export class ConfigDumpCommand extends CliCommand {
  protected override async work(options: { json?: true }): Promise<number> {
    return (await import('./config-commands.js')).dumpConfig(options, this.terminal);
  }
}

@SubCommand({
  name: 'validate',
  arguments: '[file]',
  description: 'say every mistake of the configuration',
})
export class ConfigValidateCommand extends CliCommand {
  protected override async work(
    options: { json?: true },
    [file]: readonly (string | undefined)[],
  ): Promise<number> {
    return (await import('./config-commands.js')).validateConfig({ ...options, file }, this.terminal);
  }
}

@SubCommand({ name: 'schema', description: 'print the JSON Schema of the configuration file' })
export class ConfigSchemaCommand extends CliCommand {
  protected override async work(): Promise<number> {
    return (await import('./config-commands.js')).printSchema(this.terminal);
  }
}

@Command({
  name: 'config',
  description: 'the configuration of the bot',
  subCommands: [ConfigDumpCommand, ConfigValidateCommand, ConfigSchemaCommand],
})
export class ConfigCommand extends CommandGroup {}

export const CONFIG_COMMANDS = [ConfigCommand, ConfigDumpCommand, ConfigValidateCommand, ConfigSchemaCommand];
