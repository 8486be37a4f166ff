import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { initialPrices } from '../../devnet/index.js';
import { LIQUIDATABLE } from '../../testing/aave-state.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { chainOf } from '../../testing/chain.js';
import { configOf } from '../../testing/devnet-config.js';
import { eventually } from '../../testing/eventually.js';
import { inLists } from '../../testing/decisions.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { faultBegins } from '../../testing/fault-times.js';
import { LyingNode, type Call } from '../../testing/nodes/lying-node.js';
import type { TransportFault } from '../../testing/nodes/transport-fault.js';
import { BORROWERS, disagreements, stateSpec, viewOf, type Engine } from '../../testing/state.js';
import { bySize } from '../domain/bid.js';
import { OpportunityDetector } from '../detector/opportunity-detector.js';
import { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import { toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import { PassTrace } from '../domain/pass-trace.js';
import type { ExecutionService } from '../execution/index.js';
import { NativePriceWatch } from '../oracles/native-price-watch.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { PastRefusals } from '../planner/past-refusals.js';
import type { ExecutionPlanner } from '../planner/execution-planner.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import type { SafetyController } from '../safety/index.js';
import { BlockPass, type PassFailure, type PassResult } from './block-pass.js';
import { DecisionJournal } from './decision-journal.js';
import type { WriteQueue } from './write-queue.js';

const UNLIMITED_USD8 = 10n ** 9n * USD8;

const spec = stateSpec();
let node: LyingNode;
/** Knows the heads while the node of the state fails. */
let honest: { chain: Chain; pool: RpcPool };

beforeAll(async () => {
  const { rpcUrl: http, wsUrl: ws } = spec.bench.devnet;
  node = await LyingNode.start({ http, ws });
  honest = chainOf(spec.bench.devnet);
});

afterEach(() => node.repent());

afterAll(async () => {
  honest.pool.close();
  await node.stop();
});

/** Passes over the real state and detector. The planner notes what it is given, and plans nothing. */
class Passes {
  planned: (readonly Opportunity[])[] = [];
  private readonly pass: BlockPass;

  constructor(one: Engine) {
    const { devnet } = spec.bench;
    const config = configOf(devnet, { minProfitUsd: '0' });
    const guard = new PriceGuard(config);
    const operator = toAddress(devnet.accounts.operator);
    const writes = standIn<WriteQueue>('writes', { isAway: false, add: () => undefined });
    this.pass = new BlockPass(
      one.engine,
      new OpportunityDetector({ all: [one.market] }, one.feeds, guard, config, one.doubts),
      standIn<ExecutionPlanner>('planner', {
        refusals: new PastRefusals(),
        plan: (prospects) => {
          this.planned.push(prospects.all.flatMap((_, index) => prospects.open(index) ?? []));
          return inLists([]);
        },
      }),
      standIn<SafetyController>('safety', {
        ...{ isHalted: false, headroomUsd8: () => UNLIMITED_USD8 },
        steering: standIn<SafetyController['steering']>('steering', { refusalOf: () => undefined }),
      }),
      standIn<ExecutionService>('execution', {
        ...{ operator, leads: true, isLookDue: true },
        ...{ look: () => undefined, counted: () => new Set() },
        ...{ inFlight: () => new Set(), pendingCalls: () => [], allowance: () => anAllowance() },
        bidder: () => bySize(config.planner),
        ...{ settle: () => Promise.resolve(), follow: () => Promise.resolve(), hasLeft: false },
      }),
      new NativePriceWatch(one.chain, one.feeds, one.events, config),
      new DecisionJournal(writes, one.events, config),
    );
  }

  /** At the newest block. */
  async run(): Promise<PassResult | PassFailure> {
    const block = await honest.chain.getBlock('latest');
    const clock = new Clock();
    const receivedAtMs = clock.monotonicMs();
    return this.pass.run({ ...block, receivedAtMs }, new PassTrace(clock, receivedAtMs));
  }
}

const refuses =
  (...methods: readonly string[]) =>
  ({ method }: Call) =>
    methods.includes(method) ? { error: { code: -32603, message: 'internal error' } } : undefined;

const fails: readonly [string, { swallow?: LyingNode['swallow']; fault?: TransportFault }][] = [
  ['refuses the logs of a block', { swallow: refuses('eth_getLogs') }],
  [
    'gives logs that are none',
    { swallow: ({ method }) => (method === 'eth_getLogs' ? { result: [{ address: '0x' }] } : undefined) },
  ],
  ['answers nothing but 503', { fault: { kind: 'status', status: 503 } }],
];

describe('the state engine while its blocks cannot be read', () => {
  it.each(fails)(
    'F11 a node that %s: positions are kept, nothing is planned on the old picture, and it goes on afterwards',
    async (_, { swallow, fault }) => {
      const one = await spec.whole({ primaryUrl: node.httpUrl, limits: LIQUIDATABLE });
      const passes = new Passes(one);
      expect(await passes.run()).toMatchObject({ kind: 'done', liquidatable: 0 });
      const before = viewOf(one.engine);
      passes.planned = [];

      const clock = faultBegins();
      node.swallow = swallow;
      node.fault = fault;
      for (const usd of [2_900n, 2_750n, 2_600n]) {
        await spec.bench.devnet.setPrices({ ...initialPrices(), WETH: usd * USD8 });
        const outcome = await passes.run();
        expect(outcome).toMatchObject({ kind: 'failed', errors: [expect.any(RetryError) as unknown] });
        clock.detected();
        expect(viewOf(one.engine)).toBe(before);
        expect(one.engine.positionCount).toBe(BORROWERS);
      }
      expect(passes.planned).toEqual([]);

      clock.over();
      node.repent();
      let last: PassResult | PassFailure | undefined;
      await eventually(async () => {
        last = await passes.run();
        return last.kind === 'done';
      }, 'a pass that reaches its head');
      clock.recovered();
      expect(viewOf(one.engine).block.number).toBe((await honest.chain.getBlock('latest')).number);
      const [opportunities = []] = passes.planned;
      expect(opportunities.length).toBeGreaterThan(0);
      for (const { block } of opportunities) expect(block).toEqual(viewOf(one.engine).block);
      expect(one.engine.positionCount).toBe(BORROWERS);
      expect(await disagreements(one)).toEqual([]);
    },
  );
});
