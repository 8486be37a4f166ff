import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { JudgedPrice } from '../domain/at-risk.js';
import { rejected, type Rejection } from '../domain/decision.js';
import type { Address } from '../domain/hex.js';
import { BPS } from '../domain/money.js';

export type Prices = ReadonlyMap<Address, bigint>;

/** Says which prices must not be used: those that are too old, or moved too far in one block (F34). */
@Injectable()
export class PriceGuard {
  constructor(private readonly config: ChimeraConfig) {}

  /**
   * Assets whose price moved by more than `oracles.maxMovePerBlockBps` since the previous block. An asset
   * without a previous price is accepted.
   */
  jumped(previous: Prices | undefined, current: Prices): Set<Address> {
    const limitBps = BigInt(this.config.oracles.maxMovePerBlockBps);
    const jumped = new Set<Address>();
    for (const [asset, price] of current) {
      const before = previous?.get(asset);
      if (before === undefined) continue;
      const move = price > before ? price - before : before - price;
      if (move * BPS > before * limitBps) jumped.add(asset);
    }
    return jumped;
  }

  /** Why a price must not be used at a block with this timestamp (seconds); undefined when it may be used. */
  objection(price: JudgedPrice, timestamp: number): Rejection | undefined {
    if (price.jumped) return rejected('price-jump', { asset: price.symbol });
    if (price.updatedAt === undefined) return undefined;
    const ageSeconds = timestamp - price.updatedAt;
    if (ageSeconds <= this.config.oracles.maxAgeSeconds) return undefined;
    return rejected('price-stale', { asset: price.symbol, ageSeconds: String(ageSeconds) });
  }
}
