import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoBorrowers } from '../../devnet/index.js';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { AlertAnswer } from '../../src/api/alerts.controller.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import { eventually } from '../../testing/eventually.js';
import { ReceivingServer, type ServerAnswer } from '../../testing/nodes/receiving-server.js';
import { WebhookReceiver } from '../../testing/nodes/webhook-receiver.js';

const SECRET = 'the-secret-of-the-webhook';
const SLACK_PATH = '/services/T0/B0/the-secret-path-of-slack';

let stack: Stack;
let hook: WebhookReceiver;
let slack: ReceivingServer;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(5) });
  await stack.devnet.startMining(500);
});

beforeEach(async () => {
  hook = await WebhookReceiver.start(SECRET);
  slack = await ReceivingServer.start((): ServerAnswer => ({ status: 200, body: 'ok' }), 'http');
});

afterEach(async () => {
  await stack.bot?.stop();
  await hook.stop();
  await slack.stop();
});

afterAll(() => stack.stop());

const settings = (): BotSettings => ({
  sections: `alerts:
  channels:
    - { name: hook, kind: webhook }
    - { name: chat, kind: slack, severities: [CRITICAL, HIGH], for: alerts }
`,
  variables: {
    ALERT_WEBHOOK_URL: hook.url,
    ALERT_WEBHOOK_SECRET: SECRET,
    SLACK_WEBHOOK_URL: `${slack.url}${SLACK_PATH}`,
  },
});
const status = async (): Promise<StatusAnswer> => (await stack.api('/api/v1/status')).body as StatusAnswer;
const halt = (): Promise<unknown> =>
  stack.api('/api/v1/safety/halt', { body: { reason: 'a test of alerts' } });
const resume = (): Promise<unknown> =>
  stack.api('/api/v1/safety/resume', { body: { reason: 'the test is over' } });
const told = (key: string): string[] =>
  hook.messages.filter((message) => message.key === key).map((message) => message.status);

describe('the alerts of a bot', () => {
  it('reach every channel, can be acknowledged, and are over when the trouble is', async () => {
    const bot = await stack.startBot(undefined, settings());
    await halt();
    await eventually(() => told('halted').length === 1 && slack.received.length > 0, 'the alert');
    expect(hook.messages.find(({ key }) => key === 'halted')).toMatchObject({
      ...{ severity: 'CRITICAL', topic: 'alert', runbook: 'docs/runbook.md#halted' },
      text: 'Nothing is signed until an operator resumes it; demo halted it: a test of alerts',
    });
    const { alerts } = (await stack.api('/api/v1/alerts')).body as { alerts: AlertAnswer[] };
    const alert = alerts.find(({ rule }) => rule === 'halted');
    expect(alert).toMatchObject({ told: true, acknowledgedBy: null });
    await stack.api(`/api/v1/alerts/${String(alert?.id)}/acknowledge`, { body: {} });
    const rows = (): Promise<unknown[]> =>
      stack.query("SELECT actor, reason FROM operator_actions WHERE action = 'acknowledge'");
    await eventually(async () => (await rows()).length === 1, 'the row of the audit trail');
    expect(await rows()).toEqual([{ actor: 'demo', reason: 'halted: seen' }]);

    await resume();
    await eventually(() => told('halted').length === 2, 'the end of the alert');
    expect(told('halted')).toEqual(['firing', 'resolved']);
    const channels = async (): Promise<StatusAnswer['alerts']['channels']> =>
      (await status()).alerts.channels;
    await eventually(async () => (await channels()).every(({ pending }) => pending === 0), 'empty queues');
    expect(await channels()).toMatchObject([
      { name: 'hook', failedInARow: 0 },
      { name: 'chat', failedInARow: 0 },
    ]);
    // No word of the address or of the secret, anywhere.
    expect(JSON.stringify([await status(), bot.tail])).not.toMatch(/the-secret/);
  });

  it('F37 a channel that is silent, fails or cuts keeps nothing from the others, and gets its newest word later', async () => {
    const bot = await stack.startBot(undefined, settings());
    for (const fault of [
      { kind: 'black-hole' },
      { kind: 'status', status: 500 },
      { kind: 'reset' },
    ] as const) {
      const [before, headBefore] = [slack.received.length, (await status()).head?.number ?? 0];
      hook.fault = fault;
      await halt();
      await eventually(() => slack.received.length > before, 'the alert in the other channel');
      // The passes go on.
      await eventually(async () => ((await status()).head?.number ?? 0) > headBefore + 2, 'blocks');
      await eventually(
        async () => (await status()).alerts.channels[1]?.pending === 0,
        'the queue of the other channel to empty',
      );
      await resume();
      await eventually(async () => (await status()).alerts.active === 0, 'the end of the alert');
    }
    hook.fault = undefined;
    await eventually(
      async () => ((await status()).alerts.channels[0]?.pending ?? 1) === 0,
      'the queue to empty',
    );
    expect(told('halted').slice(-2)).toEqual(['firing', 'resolved']);
    expect(bot.tail).not.toMatch(/the-secret/);
  });

  it('F25 what was not delivered at kill -9 is delivered by the next process, and told once', async () => {
    hook.fault = { kind: 'status', status: 503 };
    const bot = await stack.startBot(undefined, settings());
    await halt();
    await bot.waitFor('alert-failed', ({ key }) => key === 'halted');
    await bot.kill();
    expect(told('halted')).toEqual([]);

    hook.fault = undefined;
    const next = await stack.launchBot(undefined, settings());
    await eventually(() => told('halted').length === 1, 'the alert');
    await next.waitFor('api-listening');
    await eventually(async () => (await status()).phase === 'running', 'the bot to run');
    // It is still HALTED: nothing is told again, and the end is told once.
    await resume();
    await eventually(() => told('halted').length === 2, 'the end of the alert');
    expect(told('halted')).toEqual(['firing', 'resolved']);
    expect(hook.repeated).toBe(0);
  });
});
