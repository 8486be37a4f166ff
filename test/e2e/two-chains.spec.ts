import { computeAddress } from 'ethers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import { Stack } from '../../devnet/stack/stack.js';
import { eventually } from '../../testing/eventually.js';
import { send } from '../../testing/send.js';
import { closedBooks } from './hostile/honest-books.js';
import { contractHoldsNothing, haltsEndAsTheyMay, haltsOf, oneIntentPerNonce } from './invariants.js';
import { allSettled } from './operator.js';

const BLOCK_MS = 250;
/** Of no published account: those may sign on chain 31337 alone. */
const KEY = `0x${'c4a1'.repeat(16)}`;
const WALLET = computeAddress(KEY);
const IDS = [31_337, 31_338] as const;
const [FIRST_FALL, SECOND_FALL, THIRD_FALL] = DEMO_SCENARIO;

let one: Stack;
let two: Stack;

beforeAll(async () => {
  const options = { borrowers: demoBorrowers(10), settings: { variables: { OPERATOR_PRIVATE_KEY: KEY } } };
  const first = Stack.start({ ...options, chainId: IDS[0] });
  [one, two] = await Promise.all([first, Stack.start({ ...options, chainId: IDS[1], beside: first })]);
  await Promise.all([one, two].map(trust));
}, 120_000);

afterAll(async () => {
  await two.stop();
  await one.stop();
});

it('two chains, one wallet key, one database: neither halts, counts, settles or takes up what is of the other', async () => {
  const [first, second] = await Promise.all([one.startBot(), two.startBot()]);
  await Promise.all([won(one, first, FIRST_FALL), won(two, second, FIRST_FALL)]);
  for (const stack of [one, two]) await ownRowsAlone(stack);

  // One is halted: the other one goes on, and a look of a second later too.
  await Promise.all([one, two].map(allSettled));
  await one.api('/api/v1/safety/halt', { body: { reason: 'a look at this chain' } });
  const sent = await count(one);
  const refused = first.waitFor('position-skipped', ({ reason }) => reason === 'halted');
  await Promise.all([won(two, second, SECOND_FALL), playStep(one.devnet, step(SECOND_FALL)), refused]);
  expect(await stateOf(one)).toBe('HALTED');
  expect(await stateOf(two)).not.toBe('HALTED');
  expect(await count(one)).toBe(sent);
  await one.api('/api/v1/safety/resume', { body: { reason: 'all well' } });

  // kill -9 with transactions on their way; both chains have some.
  const busy = Promise.all([
    first.waitFor('execution-settled', ({ status }) => status === 'succeeded'),
    second.waitFor('transaction-sent'),
  ]);
  await Promise.all([one, two].map(({ devnet }) => playStep(devnet, step(THIRD_FALL))));
  await busy;
  await second.kill();
  const again = await two.startBot();
  await Promise.all([one, two].map(allSettled));
  expect(await stateOf(two)).not.toBe('HALTED');
  await Promise.all([first, again].map((bot) => bot.waitFor('pass')));

  for (const stack of [one, two]) {
    await eventually(async () => (await closedBooks(stack, WALLET)).length === 0, 'the books to close').catch(
      async () => expect(await closedBooks(stack, WALLET)).toEqual([]),
    );
    await ownRowsAlone(stack);
    expect(await contractHoldsNothing(stack, 'latest')).toEqual([]);
  }
  expect(await oneIntentPerNonce(one)).toEqual([]);
  expect(await haltsEndAsTheyMay(one)).toEqual([]);
  expect(await haltsOf(one)).toMatchObject([{ chain: String(IDS[0]), endedBy: 'demo' }]);
}, 45_000);

/** The contract accepts the wallet, which has ether. */
async function trust({ devnet }: Stack): Promise<void> {
  await devnet.rpc('anvil_setBalance', [WALLET, `0x${(100n * 10n ** 18n).toString(16)}`]);
  await devnet.startMining(BLOCK_MS);
  await send(devnet, devnet.accounts.deployer, devnet.contracts.chimera, 'setExecutor', WALLET, true);
}

/** Prices fall, and the bot liquidates. */
async function won(stack: Stack, bot: BotProcess, fall: typeof FIRST_FALL): Promise<void> {
  const settled = bot.waitFor('execution-settled', ({ status }) => status === 'succeeded');
  await Promise.all([settled, playStep(stack.devnet, step(fall))]);
}

function step(fall: typeof FIRST_FALL): NonNullable<typeof FIRST_FALL> {
  if (!fall) throw new Error('the scenario has fewer steps');
  return fall;
}

const stateOf = async (stack: Stack): Promise<string> =>
  ((await stack.api('/api/v1/status')).body as { safety: { state: string } }).safety.state;

/** Transactions of the wallet on this chain, by the chain. */
const count = (stack: Stack): Promise<number> => stack.devnet.provider.getTransactionCount(WALLET);

/** The API shows the rows of its chain, and the day counts what they booked. */
async function ownRowsAlone(stack: Stack): Promise<void> {
  const { chainId } = stack.devnet;
  await allSettled(stack);
  const rows = await stack.query<{ id: string; chain: string }>(
    'SELECT id::text, chain_id::text AS chain FROM executions',
  );
  const shown = (await stack.api('/api/v1/executions?limit=200')).body as {
    executions: { id: string; chainId: number }[];
  };
  expect(new Set(shown.executions.map((row) => row.chainId))).toEqual(new Set([chainId]));
  const other = rows.find(({ chain }) => Number(chain) !== chainId);
  if (other) expect((await stack.api(`/api/v1/executions/${other.id}`)).status).toBe(404);
  expect((await stack.api('/api/v1/status')).body).toMatchObject({ network: { chainId } });
  const [sums] = await stack.query<{ day: string; rows: string }>(
    `SELECT (SELECT sum(notional_usd) FROM daily_volume WHERE chain_id = $1)::text AS day,
       (SELECT sum(e.notional_usd) FROM transactions t JOIN executions e ON e.id = t.execution_id
          WHERE t.chain_id = $1 AND t.booked_day IS NOT NULL)::text AS rows`,
    [chainId],
  );
  expect(sums?.day).toBe(sums?.rows);
}
