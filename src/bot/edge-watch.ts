import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { EdgeScan, type Edge } from '../detector/edge-scan.js';
import type { Block } from '../domain/block.js';
import { Clock } from '../domain/clock.js';
import { StateEngine } from '../state/state-engine.js';

/** A scan of many positions works for some tenths of a second, so many readers share one. */
const FRESH_MS = 1_000;

/** The positions near the edge, as of a block. */
export interface EdgeAtBlock extends Edge {
  readonly block: Block;
  readonly belowWad: bigint;
}

interface Looked {
  readonly edge: EdgeAtBlock;
  readonly atMs: number;
}

/** The positions near the edge, for people and pages. A request looks for them, a pass never does. */
@Injectable()
export class EdgeWatch {
  private last: Looked | undefined;
  private running: Promise<EdgeAtBlock | undefined> | undefined;
  private runningBelowWad = 0n;

  constructor(
    private readonly state: StateEngine,
    private readonly scan: EdgeScan,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {}

  /** Up to here positions can be asked for. */
  get highestWad(): bigint {
    return this.config.detector.watchBelowHealthFactorWad;
  }

  /**
   * All positions below a health factor, at most a second old. Undefined before the first block.
   *
   * @param belowWad at most {@link highestWad}.
   */
  async below(belowWad: bigint): Promise<EdgeAtBlock | undefined> {
    while (this.running) {
      if (this.runningBelowWad === belowWad) return this.running;
      await this.running.catch(() => undefined);
    }
    const { last } = this;
    if (last?.edge.belowWad === belowWad && this.clock.monotonicMs() - last.atMs < FRESH_MS) return last.edge;
    this.runningBelowWad = belowWad;
    this.running = this.look(belowWad).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async look(belowWad: bigint): Promise<EdgeAtBlock | undefined> {
    const { view } = this.state;
    if (!view) return undefined;
    const edge = { ...(await this.scan.of(view, belowWad)), block: view.block, belowWad };
    this.last = { edge, atMs: this.clock.monotonicMs() };
    return edge;
  }
}
