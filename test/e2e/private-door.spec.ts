import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../devnet/stack/stack.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { USD8 } from '../../src/domain/money.js';
import { eventually } from '../../testing/eventually.js';
import { FakeRelay } from '../../testing/nodes/fake-relay.js';
import { minedHashes } from './operator.js';

const ETHER = 10n ** 18n;
const KEY = 'Bearer k3y-of-the-r3lay';

const PATHS = `[{
  name: relay, kind: private, url: "\${RELAY_URL}", headers: [{ name: Authorization, value: "\${RELAY_KEY}" }], blocks: 240 }]`;

let stack: Stack;
let relay: FakeRelay;
const events: BotEvent[] = [];
const heard = (name: BotEvent['event']): BotEvent[] => events.filter(({ event }) => event === name);

beforeAll(async () => {
  stack = await Stack.start({ borrowers: [] });
  relay = await FakeRelay.start(KEY, stack.devnet.rpcUrl);
  relay.conduct = 'never includes';
  await stack.startBot((event) => events.push(event), {
    paths: PATHS,
    variables: { RELAY_URL: relay.url, RELAY_KEY: KEY },
  });
  await stack.devnet.startMining(250);
  await eventually(() => heard('pools-read').length > 0, 'the pools to be known');
}, 180_000);

afterAll(async () => {
  await stack.stop();
  await relay.stop();
});

describe('the running bot with a private relay', () => {
  it('a liquidation goes to the relay alone, is mined when the relay includes it, and the log holds no secret', async () => {
    const { devnet } = stack;
    const [borrower = ''] = await devnet.openPositions([
      {
        collaterals: [{ symbol: 'WETH', amount: 10n * ETHER }],
        debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
      },
    ]);
    await devnet.setPrice('WETH', 2_600n * USD8);
    await eventually(() => relay.taken.size > 0, 'the relay to be handed a transaction');
    for (const hash of relay.taken.keys()) expect(await devnet.provider.getTransaction(hash)).toBeNull();
    await relay.include();
    await eventually(
      async () => (await stack.query("SELECT id FROM executions WHERE status = 'succeeded'")).length === 1,
      'the liquidation to be won',
    );
    const [row] = await stack.query<{ borrower: string }>('SELECT borrower FROM executions');
    expect(row?.borrower.toLowerCase()).toBe(borrower.toLowerCase());
    const [mined = ''] = await minedHashes(stack);
    expect([...relay.taken.keys()]).toContain(mined);
    const doors = await stack.query<{ door: string }>('SELECT DISTINCT door FROM transactions');
    expect(doors).toEqual([{ door: 'relay' }]);
    expect(JSON.stringify(events)).not.toMatch(/s3cretPath|r3lay/);
  });
});
