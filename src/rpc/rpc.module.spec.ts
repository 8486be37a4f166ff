import { Global, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { blockOf, eventually, FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { Secret } from '../domain/secret.js';
import { Chain } from './chain/chain.js';
import { HeadStream } from './heads/head-stream.js';
import { RpcError } from './rpc-errors.js';
import { RpcModule } from './rpc.module.js';
import { RpcPool } from './endpoints/rpc-pool.js';

let node: FakeRpc;

beforeEach(async () => {
  Logger.overrideLogger(false);
  node = await FakeRpc.start();
});
afterEach(() => node.stop());

it('the module is built from the configuration, and the shut-down closes every connection', async () => {
  const primary = { http: new Secret(node.url('http')), ws: new Secret(node.url('ws')) };
  const config = Object.assign(new ChimeraConfig(), {
    network: { name: 'test', chainId: 31337 },
    rpc: { primary },
  });

  @Global()
  @Module({
    providers: [
      { provide: ChimeraConfig, useValue: config },
      Clock,
      { provide: Events, useClass: RecordedEvents },
    ],
    exports: [ChimeraConfig, Clock, Events],
  })
  class Globals {}

  @Module({ imports: [Globals, RpcModule] })
  class TestModule {}

  const context = await NestFactory.createApplicationContext(TestModule);
  const numbers: number[] = [];
  context.get(HeadStream).start((head) => numbers.push(head.number));
  await eventually(() => node.subscribers === 1);
  node.mine();
  await eventually(() => numbers.includes(101));
  expect(await context.get(RpcPool).checkEndpoints()).toEqual([]);

  // F07: the stream reports its heads to the pool, which then notices an endpoint that stays behind.
  let number = 102;
  await eventually(() => {
    node.push(blockOf(number++));
    return context.get(RpcPool).status()[0]?.state === 'out-of-sync';
  }, 5_000);

  await context.close();
  await eventually(() => node.subscribers === 0);
  await expect(context.get(Chain).getBlock('latest')).rejects.toBeInstanceOf(RpcError);
});
