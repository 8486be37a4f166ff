import { Module } from '@nestjs/common';
import { OraclesModule } from '../oracles/oracles.module.js';
import { ProtocolsModule } from '../protocols/protocols.module.js';
import { EdgeScan } from './edge-scan.js';
import { OpportunityDetector } from './opportunity-detector.js';

/**
 * Finds what can be liquidated in a view of the state. Pure computation: it must never read the chain. The
 * markets are passed on, because the bot looks at their feeds.
 */
@Module({
  imports: [OraclesModule, ProtocolsModule],
  providers: [OpportunityDetector, EdgeScan],
  exports: [OpportunityDetector, EdgeScan, ProtocolsModule],
})
export class DetectorModule {}
