import { Module } from '@nestjs/common';
import { RpcModule } from '../rpc/rpc.module.js';
import { ExecutionPlanner } from './execution-planner.js';

/**
 * Opportunities to plans: the most profitable amount, its route, its cost and its bid, proved by simulation.
 * It must never sign or send anything. What it returns is true at the block that it names, and nowhere else.
 * It remembers only what makes the next pass shorter: the gas of drafts and nodes, and what was refused.
 */
@Module({ imports: [RpcModule], providers: [ExecutionPlanner], exports: [ExecutionPlanner] })
export class PlannerModule {}
