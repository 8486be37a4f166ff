import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { LoggerModule } from 'nestjs-pino';
import { ApiModule } from './api/api.module.js';
import { BotModule } from './bot/bot.module.js';
import { ChimeraConfigModule, type ChimeraConfig } from './config/index.js';

/** Wires the modules; nothing is decided here. */
@Module({})
export class AppModule {
  static forRoot(config: ChimeraConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ChimeraConfigModule.forRoot(() => config),
        ScheduleModule.forRoot(),
        // Requests are not logged one by one: probes alone would drown the decisions.
        LoggerModule.forRoot({ pinoHttp: { autoLogging: false, base: null, quietReqLogger: true } }),
        BotModule,
        ApiModule,
      ],
    };
  }
}
