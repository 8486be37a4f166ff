import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEAST, VARIABLES } from '../../testing/configuration.js';
import { PagerDutyServer } from '../../testing/nodes/pagerduty.js';
import { TelegramServer } from '../../testing/nodes/telegram.js';
import { WebhookReceiver } from '../../testing/nodes/webhook-receiver.js';
import { trust } from '../../testing/trust.js';
import { parseConfig } from '../config/index.js';
import { testAlerts, type TestedChannel } from './alerts-test.js';

const SECRET = 'the-secret-of-the-webhook';

describe('npx chimera alerts test', () => {
  let pagerDuty: PagerDutyServer;
  let telegram: TelegramServer;
  let hook: WebhookReceiver;
  let distrust: () => void;
  let printed: string[];

  beforeEach(async () => {
    pagerDuty = await PagerDutyServer.start();
    telegram = await TelegramServer.start();
    hook = await WebhookReceiver.start(SECRET);
    distrust = trust(pagerDuty.server.authority);
    printed = [];
  });
  afterEach(async () => {
    distrust();
    await Promise.all([pagerDuty.stop(), telegram.stop(), hook.stop()]);
  });

  const run = (options: { json?: boolean }, channels: string): Promise<number> => {
    const yaml = `${LEAST}\nalerts:\n  channels: ${channels}\n`;
    const config = parseConfig(yaml, {
      ...VARIABLES,
      PAGERDUTY_ROUTING_KEY: pagerDuty.routingKey,
      TELEGRAM_BOT_TOKEN: telegram.token,
      ALERT_WEBHOOK_URL: hook.url,
      ALERT_WEBHOOK_SECRET: SECRET,
    });
    const terminal = {
      print: (line: string) => printed.push(line),
      remark: (line: string) => printed.push(line),
    };
    return testAlerts(options, terminal, () => Promise.resolve(config));
  };
  const all = (chat = '-1001234567890'): string => `
    - { name: pager, kind: pagerduty, url: '${pagerDuty.server.url}', severities: CRITICAL }
    - { name: chat, kind: telegram, apiRoot: '${telegram.server.url}', chatId: '${chat}' }
    - { name: hook, kind: webhook, for: notifications }`;

  it('sends one message through each channel, whatever it is for, and leaves no incident open', async () => {
    expect(await run({}, all())).toBe(0);
    expect(printed).toEqual([
      expect.stringMatching(/^pager {2}pagerduty {2} +\d+ ms {2}delivered$/),
      expect.stringMatching(/^chat {3}telegram {3} +\d+ ms {2}delivered$/),
      expect.stringMatching(/^hook {3}webhook {4} +\d+ ms {2}delivered$/),
    ]);
    expect([...pagerDuty.incidents.values()]).toMatchObject([{ status: 'resolved' }]);
    expect(telegram.texts).toHaveLength(1);
    expect(hook.messages).toHaveLength(1);
  });

  it('says of each what went wrong, and ends with 1', async () => {
    pagerDuty.fault = { kind: 'status', status: 503 };
    expect(await run({ json: true }, all('-1'))).toBe(1);
    const tested = JSON.parse(printed.join('\n')) as TestedChannel[];
    expect(tested).toMatchObject([
      { channel: 'pager', kind: 'pagerduty', delivered: false, reason: 'it answered 503' },
      { channel: 'chat', kind: 'telegram', delivered: false, reason: 'it answered 400' },
      { channel: 'hook', kind: 'webhook', delivered: true, reason: null },
    ]);
    expect(printed.join('\n')).not.toContain(telegram.token);
  });

  it('refuses a configuration without channels', async () => {
    await expect(run({}, '[]')).rejects.toThrow('alerts.channels: no channel is configured');
  });
});
