import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/index.js';
import { DetectorModule } from '../detector/detector.module.js';
import { JournalModule } from '../journal/index.js';
import { LiquidityModule } from '../liquidity/liquidity.module.js';
import { OraclesModule } from '../oracles/oracles.module.js';
import { PlannerModule } from '../planner/planner.module.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { SafetyModule } from '../safety/index.js';
import { BlockPass } from './block-pass.js';
import { BotStatusReader } from './bot-status.js';
import { ChainComparison } from './chain-comparison.js';
import { ChimeraBot } from './chimera-bot.js';
import { ClockWatch } from './clock-watch.js';
import { DatabaseWatch } from './database-watch.js';
import { DecisionJournal } from './decision-journal.js';
import { EdgeWatch } from './edge-watch.js';
import { FeedWatch } from './feed-watch.js';
import { HeadWatch } from './head-watch.js';
import { PassLoop } from './pass-loop.js';
import { PassWatchdog } from './pass-watchdog.js';
import { PoolMetrics } from './pool-metrics.js';
import { QueueMetrics } from './queue-metrics.js';
import { SequencerWatch } from './sequencer-watch.js';
import { StatusMetrics } from './status-metrics.js';
import { WayBack } from './way-back.js';
import { WriteQueue } from './write-queue.js';

/**
 * Start, loop and end of the bot. It must never hold a rule of its own: it calls the other modules in order.
 */
@Module({
  imports: [
    RpcModule,
    DatabaseModule,
    JournalModule,
    LiquidityModule,
    OraclesModule,
    DetectorModule,
    PlannerModule,
    SafetyModule,
  ],
  providers: [
    BlockPass,
    BotStatusReader,
    ChainComparison,
    ChimeraBot,
    ClockWatch,
    DatabaseWatch,
    DecisionJournal,
    EdgeWatch,
    FeedWatch,
    HeadWatch,
    PassLoop,
    PassWatchdog,
    PoolMetrics,
    QueueMetrics,
    SequencerWatch,
    StatusMetrics,
    WayBack,
    WriteQueue,
  ],
  exports: [BotStatusReader, DatabaseWatch, EdgeWatch, FeedWatch],
})
export class BotModule {}
