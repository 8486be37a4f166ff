import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import { Follower } from '../../devnet/demo/run.js';
import { Stack } from '../../devnet/stack/stack.js';
import { createDataSource, Database, ReportsRepository } from '../../src/database/index.js';
import { formatUsd8 } from '../../src/domain/money.js';
import type { EventNamed } from '../../src/domain/events/events.js';
import { toAddress } from '../../src/domain/hex.js';
import { eventually } from '../../testing/eventually.js';
import { WebhookReceiver } from '../../testing/nodes/webhook-receiver.js';
import { allSettled } from './operator.js';

const SECRET = 'the-secret-of-the-webhook';

let stack: Stack;
let hook: WebhookReceiver;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers() });
  await stack.devnet.startMining(250);
  hook = await WebhookReceiver.start(SECRET);
});

afterAll(async () => {
  await stack.stop();
  await hook.stop();
});

it('the figures of a report are those of the chain, and each win is told', async () => {
  const follower = new Follower();
  const settled: EventNamed<'execution-settled'>[] = [];
  await stack.startBot(
    (event) => {
      follower.hear(event);
      if (event.event === 'execution-settled') settled.push(event);
    },
    {
      sections: 'alerts:\n  channels:\n    - { name: wins, kind: webhook, for: notifications }\n',
      variables: { ALERT_WEBHOOK_URL: hook.url, ALERT_WEBHOOK_SECRET: SECRET },
    },
  );
  for (const step of DEMO_SCENARIO.slice(0, 2)) await playStep(stack.devnet, step);
  const fallen = await stack.devnet.provider.getBlockNumber();
  await eventually(() => follower.quietSince(fallen), 'the bot to have nothing left to do');
  await allSettled(stack);

  const source = await createDataSource(stack.postgres).initialize();
  const { provider, accounts, chainId } = stack.devnet;
  const owner = { chainId, wallet: toAddress(accounts.operator) };
  const whole = { from: new Date(0), to: new Date(Date.now() + 86_400_000) };
  const { outcomes } = await new ReportsRepository(new Database(source)).figures(owner, whole);
  await source.destroy();

  // Every transaction of the wallet, as the chain has it.
  const receipts = [];
  for (let block = 0; block <= (await provider.getBlockNumber()); block++)
    for (const hash of (await provider.getBlock(block))?.transactions ?? []) {
      const receipt = await provider.getTransactionReceipt(hash);
      if (receipt?.from === accounts.operator) receipts.push(receipt);
    }
  const won = outcomes.filter(({ outcome }) => outcome === 'won');
  const count = won.reduce((sum, one) => sum + one.count, 0);
  expect(count).toBeGreaterThan(0);
  expect(count).toBe(receipts.filter(({ status }) => status === 1).length);
  expect(outcomes.reduce((sum, one) => sum + one.count, 0)).toBe(receipts.length);
  // The local chain charges gas; what the L1 would charge is a question to its oracle.
  const gasWei = receipts.reduce((sum, { gasUsed, gasPrice }) => sum + gasUsed * gasPrice, 0n);
  const besideWei = settled.reduce(
    (sum, { fees }) => sum + BigInt(fees?.l1Wei ?? 0) + BigInt(fees?.operatorWei ?? 0),
    0n,
  );
  expect(outcomes.reduce((sum, one) => sum + one.feesWei, 0n)).toBe(gasWei + besideWei);
  const profit = settled.reduce((sum, { realisedProfitUsd8 }) => sum + BigInt(realisedProfitUsd8 ?? 0), 0n);
  expect(outcomes.reduce((sum, one) => sum + one.profitUsd8, 0n)).toBe(profit);

  // Of many wins at once the first ten are told.
  const told = Math.min(10, count);
  await eventually(() => hook.messages.length >= told, 'the wins to be told');
  const titles = settled.map(
    ({ realisedProfitUsd8 }) => `Won ${formatUsd8(BigInt(realisedProfitUsd8 ?? 0))} USD`,
  );
  for (const { title, topic, severity } of hook.messages) {
    expect(titles).toContain(title);
    expect([topic, severity]).toEqual(['notification', 'LOW']);
  }
});
