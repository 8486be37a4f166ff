import { Module, type DynamicModule } from '@nestjs/common';
import { ALERTS_COMMANDS } from './alerts.command.js';
import { BOT_COMMANDS } from './bot.command.js';
import { CompletionCommand } from './completion.command.js';
import { CONFIG_COMMANDS } from './config.command.js';
import { DoctorCommand } from './doctor.command.js';
import { ExplainCommand } from './explain.command.js';
import { InitCommand } from './init.command.js';
import { METRICS_COMMANDS } from './metrics.command.js';
import { MigrateCommand } from './migrate.command.js';
import { POSITIONS_COMMANDS } from './positions.command.js';
import { Program } from './program.js';
import { ReportCommand } from './report.command.js';
import { OnceCommand } from './once.command.js';
import { WatchCommand } from './watch.command.js';
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
        ...ALERTS_COMMANDS,
        ...BOT_COMMANDS,
        CompletionCommand,
        ...CONFIG_COMMANDS,
        DoctorCommand,
        ExplainCommand,
        InitCommand,
        ...METRICS_COMMANDS,
        MigrateCommand,
        ...POSITIONS_COMMANDS,
        OnceCommand,
        ReportCommand,
        WatchCommand,
      ],
    };
  }
}
