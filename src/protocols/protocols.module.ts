import { Module } from '@nestjs/common';
import { RpcModule } from '../rpc/rpc.module.js';
import { AaveV3Reader } from './aave-v3/aave-v3.reader.js';

/**
 * Everything that differs between lending protocols: their maths, events, reads and calls, one folder a family. It must
 * never decide whether something is worth doing, nor remember anything between blocks.
 */
@Module({ imports: [RpcModule], providers: [AaveV3Reader], exports: [AaveV3Reader] })
export class ProtocolsModule {}
