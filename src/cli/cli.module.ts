import { Module, type DynamicModule } from '@nestjs/common';
import { AlertsCommand, AlertsTestCommand } from './alerts.command.js';
import {
  ConfigCommand,
  ConfigDumpCommand,
  ConfigSchemaCommand,
  ConfigValidateCommand,
} from './config.command.js';
import { MetricsCommand, MetricsListCommand } from './metrics.command.js';
import { PositionsCommand, PositionsExportCommand, PositionsImportCommand } from './positions.command.js';
import { Program } from './program.js';
import { Outcome, TERMINAL, type Terminal } from './terminal.js';

/** The commands of `npx chimera`. Nothing of the bot is in it. */
@Module({})
export class CliModule {
  static on(terminal: Terminal): DynamicModule {
    return {
      module: CliModule,
      providers: [
        { provide: TERMINAL, useValue: terminal },
        Outcome,
        Program,
        ...[AlertsCommand, AlertsTestCommand],
        ...[ConfigCommand, ConfigDumpCommand, ConfigValidateCommand, ConfigSchemaCommand],
        ...[MetricsCommand, MetricsListCommand],
        ...[PositionsCommand, PositionsExportCommand, PositionsImportCommand],
      ],
    };
  }
}
