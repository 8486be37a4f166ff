import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import { eventually } from '../../testing/eventually.js';
import { TelegramOrders } from '../../testing/nodes/telegram-orders.js';
import { allSettled, minedCount } from './operator.js';

const OPS = { chat: -1_001_234, user: 4711 };
const STRANGER = { chat: -1_001_234, user: 666 };

let stack: Stack;
let telegram: TelegramOrders;
/** Every line of every bot. */
const said: string[] = [];

beforeAll(async () => {
  [stack, telegram] = await Promise.all([
    Stack.start({ borrowers: demoBorrowers(16) }),
    TelegramOrders.start(),
  ]);
  await stack.devnet.startMining(250);
});

afterAll(async () => {
  await stack.stop();
  await telegram.stop();
});

const settings = (): BotSettings => ({
  sections: `alerts:
  control: { enabled: true, channel: chat, chats: [${OPS.chat}], users: [${OPS.user}] }
  channels: [{ name: chat, kind: telegram, for: alerts, severities: MEDIUM, chatId: '${OPS.chat}', apiRoot: '${telegram.url}' }]
`,
  variables: { TELEGRAM_BOT_TOKEN: telegram.token },
});

const launch = async (): ReturnType<Stack['launchBot']> =>
  stack.launchBot(
    (event) => said.push(JSON.stringify(event)),
    settings(),
    (line) => said.push(line),
  );

/** Waits for an answer that matches. */
async function told(pattern: RegExp): Promise<{ readonly button: string | undefined }> {
  await eventually(
    () => telegram.sent.some(({ text }) => pattern.test(text)),
    `the answer ${String(pattern)}`,
  );
  return { button: telegram.sent.findLast(({ text }) => pattern.test(text))?.button };
}

async function play(at: number): Promise<void> {
  const step = DEMO_SCENARIO[at];
  if (step) await playStep(stack.devnet, step);
}

it('A12 a listed person halts and resumes a live bot over Telegram; a stranger, and yesterday, do nothing', async () => {
  telegram.write(OPS, '/halt of yesterday');
  const bot = await launch();
  await Promise.all(
    (['bot-started', 'backfill-finished', 'telegram-listening'] as const).map((one) => bot.waitFor(one)),
  );
  await told(/What was sent before was not carried out/);
  const ignored = bot.waitFor('telegram-ignored');
  telegram.write(STRANGER, '/halt me');
  await ignored;
  telegram.write(OPS, '/status');
  await told(/^Chimera on devnet \(chain 31337\), live, running, lease: leader\nState: NORMAL /);

  telegram.write(OPS, '/halt looking into it');
  await told(/State: HALTED .*: looking into it \(telegram:4711\)/);
  const leftAlone = bot.waitFor('position-skipped', ({ reason }) => reason === 'halted');
  await play(0);
  await play(1);
  await leftAlone;
  await bot.waitFor('pass');
  expect(await minedCount(stack)).toBe(0);

  telegram.write(OPS, '/resume all is well');
  const { button = '' } = await told(/Resume it\? Press the button/);
  telegram.press(OPS, button);
  await told(/State: NORMAL .*: all is well \(telegram:4711\)/);
  await eventually(async () => (await minedCount(stack)) > 0, 'sending to go on');
  expect(
    await stack.query('SELECT actor, role, action, reason, remote FROM operator_actions ORDER BY id'),
  ).toEqual(
    [
      { action: 'halt', reason: 'looking into it' },
      { action: 'resume', reason: 'all is well' },
    ].map((one) => ({ ...one, actor: 'telegram:4711', role: 'operator', remote: `telegram:${OPS.chat}` })),
  );
  await allSettled(stack);

  // A second process stands by, and asks nothing of Telegram until it leads.
  const second = await launch();
  await Promise.all([second.waitFor('bot-started'), second.waitFor('standing-by')]);
  expect(telegram.conflicts).toBe(0);
  const takesOver = second.waitFor('telegram-listening');
  await bot.kill();
  await takesOver;
  telegram.write(OPS, '/halt the second one');
  await told(/HALTED .*the second one/);
  const { body } = await stack.api('/api/v1/status');
  expect((body as StatusAnswer).safety).toMatchObject({ state: 'HALTED', actor: 'telegram:4711' });

  // Telegram fails in each way that it can: the bot goes on, and says nothing of the token.
  for (const fault of [{ kind: 'reset' }, { kind: 'status', status: 502 }, { kind: 'truncated' }] as const) {
    const lost = second.waitFor('telegram-lost');
    const back = second.waitFor('telegram-listening');
    telegram.fault = fault;
    telegram.write(OPS, '/limits');
    await lost;
    await second.waitFor('pass');
    telegram.fault = undefined;
    await back;
  }
  expect((await second.stop()).code).toBe(0);
  const rows = await stack.query('SELECT * FROM operator_actions, state_transitions, safety_state');
  const all = [...said, JSON.stringify(rows), ...telegram.sent.map(({ text }) => text)].join('\n');
  for (const secret of [telegram.token, telegram.token.split(':')[1] ?? '', telegram.url])
    expect(all).not.toContain(secret);
});
