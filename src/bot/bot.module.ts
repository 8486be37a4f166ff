import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/index.js';
import { DetectorModule } from '../detector/detector.module.js';
import { ExecutionModule } from '../execution/index.js';
import { MonitoringModule } from '../monitoring/monitoring.module.js';
import { PlannerModule } from '../planner/planner.module.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { SafetyModule } from '../safety/index.js';
import { StateModule } from '../state/state.module.js';
import { BlockPass } from './block-pass.js';
import { ChimeraBot } from './chimera-bot.js';
import { SequencerWatch } from './sequencer-watch.js';

/** Start-up, the loop and shut-down. It must never hold a rule of its own: it asks the modules, in order. */
@Module({
  imports: [
    RpcModule,
    DatabaseModule,
    StateModule,
    DetectorModule,
    PlannerModule,
    SafetyModule,
    ExecutionModule,
    MonitoringModule,
  ],
  providers: [BlockPass, ChimeraBot, SequencerWatch],
  exports: [ChimeraBot],
})
export class BotModule {}
