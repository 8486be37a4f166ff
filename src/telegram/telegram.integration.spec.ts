import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startApi, type ApiApp } from '../../testing/api-app.js';
import { aNearPosition } from '../../testing/builders/near.js';
import { LEAST, VARIABLES } from '../../testing/configuration.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TelegramOrders, type Person, type SentText } from '../../testing/nodes/telegram-orders.js';
import { AlertDesk } from '../alerts/alert-desk.js';
import { BotStatusReader } from '../bot/bot-status.js';
import { EdgeWatch } from '../bot/edge-watch.js';
import { parseConfig, type ChimeraConfig } from '../config/index.js';
import { ReportsRepository, SafetyRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { SafetyController } from '../safety/index.js';
import { TelegramAnswers } from './answers.js';
import { Orders } from './orders.js';
import { TelegramDesk } from './telegram-desk.js';

const GROUP = -1_001_234;
const OPS: Person = { chat: GROUP, user: 4711 };
const COLLEAGUE: Person = { chat: GROUP, user: 4712 };
const OPS_ALONE: Person = { chat: 4711, user: 4711 };
const STRANGER: Person = { chat: GROUP, user: 666 };
const OPERATOR = { name: 'ops', role: 'operator', address: '127.0.0.1' };

/** A clock that a test moves forward. */
class AheadClock extends Clock {
  aheadMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.aheadMs;
  }
}

describe('orders over Telegram', () => {
  let dataDir: string;
  let api: ApiApp;
  let telegram: TelegramOrders;
  let desks: TelegramDesk[];
  let events: RecordedEvents;
  let clock: AheadClock;
  let safety: SafetyController;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-telegram-'));
    api = await startApi({ dataDir });
    safety = api.get(SafetyController);
  });
  afterAll(async () => {
    await api.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    telegram = await TelegramOrders.start();
    [events, clock, desks] = [new RecordedEvents(), new AheadClock(), []];
    if (safety.status().state !== 'NORMAL') await safety.resume('the next test', OPERATOR);
  });
  afterEach(async () => {
    await Promise.all(desks.map((desk) => desk.beforeApplicationShutdown()));
    await telegram.stop();
    api.world.bot = { ...api.world.bot, lease: { role: 'dry-run', holder: undefined, epoch: undefined } };
  });

  const configured = (enabled: boolean, token: string): ChimeraConfig =>
    parseConfig(
      `${LEAST}
alerts:
  control: { enabled: ${enabled}, channel: chat, chats: [${GROUP}, 4711], users: '4711, 4712' }
  channels: [{ name: chat, kind: telegram, chatId: '${GROUP}', apiRoot: '${telegram.url}' }]
`,
      { ...VARIABLES, TELEGRAM_BOT_TOKEN: token },
    );

  function desk(enabled = true, token = telegram.token): TelegramDesk {
    const config = configured(enabled, token);
    const bot = api.get(BotStatusReader);
    const [edge, reports, alerts] = [api.get(EdgeWatch), api.get(ReportsRepository), api.get(AlertDesk)];
    const answers = new TelegramAnswers(bot, safety, edge, reports, alerts, config, clock);
    const orders = new Orders(answers, bot, safety, config, clock, events);
    const made = new TelegramDesk(orders, bot, config, clock, events);
    desks.push(made);
    made.onApplicationBootstrap();
    return made;
  }

  async function listening(): Promise<void> {
    desk();
    await eventually(() => events.named('telegram-listening').length > 0, 'the bot to listen');
  }

  /** What is answered next to an order. */
  async function ordered(from: Person, text: string): Promise<SentText> {
    const before = telegram.sent.length;
    telegram.write(from, text);
    return answered(before);
  }

  async function answered(before: number): Promise<SentText> {
    await eventually(() => telegram.sent.length > before, 'an answer');
    return telegram.sent[before] ?? { chat: '', text: '', button: undefined };
  }

  const stateNow = (): string => safety.status().state;
  const actions = (): Promise<readonly object[]> => api.get(SafetyRepository).actions(50);
  const halted = (reason = 'a look'): Promise<unknown> => safety.halt(reason, OPERATOR);

  it('tells the status, the profit, the positions near the edge and the limits', async () => {
    api.world.near = Array.from({ length: 20 }, (_, index) => aNearPosition(index));
    await listening();
    expect((await ordered(OPS, '/status')).text).toMatch(
      /^Chimera on base \(chain 8453\), dry-run, running, lease: dry-run\nState: NORMAL for .*\nHead: block 100, /,
    );
    expect((await ordered(OPS_ALONE, '/profit')).text).toMatch(
      /^The last 24 hours: .* USD\n0 won, [^]*\n\nThe last 7 days: .* USD\n/,
    );
    const near = (await ordered(OPS, '/near@chimera_ops_bot')).text.split('\n');
    expect(near[0]).toBe('20 positions below 1.0500 at block 100, 15 of them listed');
    expect(near[1]).toBe(
      '0.9500 aave 0x0000000000000000000000000000000000000001: $25,000.00 against $23,500.00',
    );
    expect(near).toHaveLength(16);
    expect((await ordered(OPS, '/limits')).text).toMatch(
      /^One execution: \$500\.00\nVolume today: \$0\.00 of \$2,500\.50\nFees today: /,
    );
    expect((await ordered(OPS, '/start')).text).toMatch(/^\/status how the bot fares\n/);
    expect(telegram.sent.map(({ chat }) => chat)).toEqual([GROUP, 4711, GROUP, GROUP, GROUP].map(String));
  });

  it('A12 a stranger gets no answer and does nothing: a line of the log a minute says so', async () => {
    await listening();
    telegram.write(STRANGER, '/halt me');
    telegram.write({ chat: -55, user: OPS.user }, '/halt me');
    telegram.write({ chat: 666, user: 666 }, '/status');
    telegram.press(STRANGER, 'confirm:123456');
    // What a listed person forwards was written by another one, and so was what another bot writes.
    telegram.write(OPS, '/halt me', {
      forward_origin: { type: 'hidden_user', sender_user_name: 'x', date: 1 },
    });
    telegram.write(OPS, '/halt me', { via_bot: { id: 9, is_bot: true, first_name: 'inline' } });
    telegram.write(OPS, '/halt@another_bot me');
    telegram.write(OPS, 'how are you? /halt');
    expect((await ordered(OPS, '/status')).text).toContain('State: NORMAL');
    expect(telegram.sent).toHaveLength(1);
    expect(telegram.answered).toEqual([]);
    expect(events.named('telegram-ignored')).toEqual([
      { event: 'telegram-ignored', chat: String(GROUP), user: '666', count: 1 },
    ]);
    clock.aheadMs += 60_000;
    telegram.write({ chat: 666, user: 666 }, '/status');
    await eventually(() => events.named('telegram-ignored').length > 1, 'the next line');
    expect(events.named('telegram-ignored')[1]).toMatchObject({ chat: '666', user: '666', count: 4 });
  });

  it('/halt acts at once, with the person and the chat in the audit trail; it needs a reason', async () => {
    await listening();
    expect((await ordered(OPS, '/halt')).text).toMatch(/^Nothing was done: a reason of 1 to 500 characters/);
    expect((await ordered(OPS, '/halt one\ntwo')).text).toMatch(/one line of text/);
    expect((await ordered(OPS, '/halt \u200b\u2060')).text).toMatch(/^Nothing was done: /);
    expect(stateNow()).toBe('NORMAL');
    const reason = 'odd <b>prices</b> *_`[x](http://evil.example)';
    const { text } = await ordered(OPS, `/halt ${reason}`);
    expect(text).toContain(`State: HALTED for`);
    expect(text).toContain(`${reason} (telegram:4711)`);
    expect(safety.status()).toMatchObject({ state: 'HALTED', reason, actor: 'telegram:4711' });
    expect((await actions())[0]).toMatchObject({
      ...{ actor: 'telegram:4711', role: 'operator', action: 'halt', reason },
      remote: `telegram:${GROUP}`,
    });
  });

  it('/resume waits for the button, or for the code, of the same person in the same chat', async () => {
    await listening();
    expect((await ordered(OPS, '/resume why not')).text).toMatch(/^Nothing was done: [^]*State: NORMAL/);
    await halted();
    const asked = await ordered(OPS, '/resume all is well');
    expect(asked.text).toMatch(/State: HALTED [^]*a look \(ops\)[^]*\/confirm \d{6} within 60 s/);
    expect(stateNow()).toBe('HALTED');
    let before = telegram.sent.length;
    telegram.press(COLLEAGUE, asked.button ?? '');
    expect((await answered(before)).text).toBe('Nothing was done: only the person who asked may confirm it.');
    before += 1;
    telegram.press({ ...OPS, chat: OPS_ALONE.chat }, asked.button ?? '');
    expect((await answered(before)).text).toMatch(/only the person who asked/);
    expect(stateNow()).toBe('HALTED');
    before += 1;
    telegram.press(OPS, asked.button ?? '');
    expect((await answered(before)).text).toMatch(
      /State: NORMAL [^]*all is well \(telegram:4711\)\nOf the transactions in flight 2 are sent again, 1 are cancelled\.$/,
    );
    expect(stateNow()).toBe('NORMAL');
    expect(telegram.answered).toHaveLength(3);
    expect((await actions())[0]).toMatchObject({
      ...{ actor: 'telegram:4711', action: 'resume', reason: 'all is well', remote: `telegram:${GROUP}` },
    });
    // A code counts once.
    await halted('again');
    expect((await ordered(OPS, `/confirm ${(asked.button ?? '').slice(-6)}`)).text).toMatch(/no order waits/);
    expect(stateNow()).toBe('HALTED');
    const [, code = ''] = /\/confirm (\d{6})/.exec((await ordered(OPS, '/resume now')).text) ?? [];
    await ordered(OPS, `/confirm ${code}`);
    expect(stateNow()).toBe('NORMAL');
  });

  it('a confirmation that comes late, or after the state has changed, does nothing', async () => {
    await listening();
    await halted();
    const code = async (): Promise<string> =>
      /\/confirm (\d{6})/.exec((await ordered(OPS, '/resume all is well')).text)?.[1] ?? '';
    const late = await code();
    clock.aheadMs += 60_000;
    expect((await ordered(OPS, `/confirm ${late}`)).text).toMatch(/the code is too old/);
    const overtaken = await code();
    await safety.raise('signer', 'HALTED', 'a transaction that is not ours');
    expect((await ordered(OPS, `/confirm ${overtaken}`)).text).toMatch(
      /^Nothing was done: the state has changed[^]*a transaction that is not ours/,
    );
    const guessed = await code();
    const wrong = String((Number(guessed) + 1) % 1_000_000).padStart(6, '0');
    for (let guess = 0; guess < 5; guess++)
      expect((await ordered(OPS, `/confirm ${wrong}`)).text).toMatch(/no order waits for this code/);
    expect((await ordered(OPS, `/confirm ${guessed}`)).text).toMatch(/no order waits for this code/);
    expect(stateNow()).toBe('HALTED');
  });

  it('a halt that comes while the transactions in flight are looked at is not resumed', async () => {
    await listening();
    await halted();
    const asked = await ordered(OPS, '/resume all is well');
    const looking = vi.spyOn(api.get(BotStatusReader), 'prospect').mockImplementationOnce(async () => {
      await safety.raise('signer', 'HALTED', 'a transaction that is not ours');
      return { sentAgain: 0, cancelled: 0 };
    });
    const before = telegram.sent.length;
    telegram.press(OPS, asked.button ?? '');
    expect((await answered(before)).text).toMatch(/^Nothing was done: the state has changed/);
    expect(looking).toHaveBeenCalledOnce();
    expect(stateNow()).toBe('HALTED');
  });

  it('what was sent before the start is dropped, also when Telegram goes away meanwhile', async () => {
    for (let more = 0; more < 150; more++) telegram.write({ chat: 666, user: 666 }, 'noise');
    telegram.write(OPS, '/halt of yesterday');
    telegram.failsAtPoll = 2;
    await listening();
    await eventually(() => telegram.sent.length > 0, 'the notice');
    expect(telegram.sent[0]?.text).toMatch(/What was sent before was not carried out/);
    expect(events.named('telegram-lost')).toHaveLength(1);
    expect(events.named('telegram-listening')).toMatchObject([{ dropped: 151 }]);
    expect(stateNow()).toBe('NORMAL');
  });

  it('what was sent before the start is dropped, and the person is told', async () => {
    await halted();
    telegram.write(OPS, '/resume of yesterday');
    telegram.press(OPS, 'confirm:123456');
    telegram.write(COLLEAGUE, '/halt of yesterday');
    telegram.write(STRANGER, '/status');
    for (let more = 0; more < 250; more++) telegram.write({ chat: 666, user: 666 }, 'noise');
    await listening();
    await eventually(() => telegram.sent.length > 0, 'the notice');
    expect(telegram.sent).toMatchObject([{ chat: String(GROUP), button: undefined }]);
    expect(telegram.sent[0]?.text).toMatch(/What was sent before was not carried out/);
    expect((await ordered(OPS, '/limits')).text).toMatch(/^One execution/);
    expect(events.named('telegram-listening')).toMatchObject([{ bot: 'chimera_ops_bot', dropped: 254 }]);
    expect(safety.status()).toMatchObject({ state: 'HALTED', reason: 'a look' });
    expect(events.named('telegram-order').map(({ order }) => order)).toEqual(['limits']);
  });

  it('goes on when Telegram was away, and no line holds the token', async () => {
    const before = api.logged.length;
    telegram.fault = { kind: 'reset' };
    desk();
    await eventually(() => events.named('telegram-lost').length > 0, 'the loss to be told');
    telegram.fault = { kind: 'status', status: 502 };
    await eventually(() => telegram.polls > 0 || events.named('telegram-lost').length > 1, 'another try');
    telegram.fault = undefined;
    await eventually(() => events.named('telegram-listening').length > 0, 'the bot to listen');
    telegram.tooMany = 1;
    expect((await ordered(OPS, '/status')).text).toContain('State: NORMAL');
    // A held question is cut. What was sent meanwhile is carried out.
    telegram.fault = { kind: 'truncated' };
    telegram.write(OPS, '/halt odd prices');
    await eventually(() => events.named('telegram-lost').length > 1, 'the second loss');
    telegram.fault = undefined;
    await eventually(() => stateNow() === 'HALTED', 'the halt');
    const said = JSON.stringify([events.all, api.logged.slice(before)]);
    expect(said).not.toContain(telegram.token.split(':')[1]);
    expect(said).not.toContain(telegram.url);
  });

  it('says that its token is wrong, without it', async () => {
    const wrong = '987654321:BBHdqTcvCH1vGWJxfSeofSAs0K5PALDsawT';
    desk(true, wrong);
    await eventually(() => events.named('telegram-lost').length > 0, 'the refusal to be told');
    expect(events.named('telegram-lost')).toEqual([
      {
        event: 'telegram-lost',
        reason: 'it answered 401: the token of the Telegram bot is not valid',
        retryInMs: 30_000,
      },
    ]);
    expect(JSON.stringify(events.all)).not.toContain(wrong.split(':')[1]);
  });

  it('only the process with the lease listens, and another one takes over', async () => {
    const lease = (role: 'standby' | 'leader'): void => {
      api.world.bot = { ...api.world.bot, lease: { role, holder: 'another', epoch: 1 } };
    };
    lease('standby');
    desk();
    telegram.write(OPS, '/halt while it stands by');
    lease('leader');
    await eventually(() => telegram.sent.length > 0, 'the notice that it was dropped');
    expect(stateNow()).toBe('NORMAL');
    await eventually(() => telegram.isHeld, 'a question that is held');
    lease('standby');
    await eventually(() => !telegram.isHeld, 'the question to be taken back');
    telegram.write(OPS, '/halt while it stands by again');
    lease('leader');
    await eventually(() => events.named('telegram-listening').length === 2, 'the bot to listen again');
    expect(events.named('telegram-listening')[1]).toMatchObject({ dropped: 1 });
    expect([stateNow(), telegram.conflicts]).toEqual(['NORMAL', 0]);
  });

  it('two that listen with one Telegram bot say so', async () => {
    await listening();
    desk();
    await eventually(() => events.named('telegram-lost').length > 0, 'the conflict to be told');
    expect(events.named('telegram-lost')[0]?.reason).toBe(
      'it answered 409: another process, or a webhook, takes the messages of this Telegram bot',
    );
  });

  it('cuts an answer that is too long for a message', async () => {
    await listening();
    for (let number = 0; number < 60; number++)
      await safety.steering.set(
        { kind: 'denied', name: `0x${number.toString(16).padStart(40, '0')}` },
        'deny',
        'x'.repeat(100),
        OPERATOR,
      );
    const { text } = await ordered(OPS, '/limits');
    expect([text.length, text.at(-1)]).toEqual([4_096, '…']);
  });

  it('asks nothing of Telegram unless it is enabled', async () => {
    const off = desk(false);
    await off.beforeApplicationShutdown();
    expect([telegram.polls, telegram.sent]).toEqual([0, []]);
  });
});
