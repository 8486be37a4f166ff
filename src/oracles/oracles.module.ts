import { Module } from '@nestjs/common';
import { PriceGuard } from './price-guard.js';

/**
 * Prices from Chainlink feeds, and which of them may be acted on. It must never make a price up: what cannot be read
 * is missing.
 */
@Module({ providers: [PriceGuard], exports: [PriceGuard] })
export class OraclesModule {}
