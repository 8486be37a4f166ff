import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VARIABLES, withSection } from '../../testing/configuration.js';
import { TestDatabase } from '../../testing/database.js';
import { PagerDutyServer } from '../../testing/nodes/pagerduty.js';
import { TelegramServer } from '../../testing/nodes/telegram.js';
import { WebhookReceiver } from '../../testing/nodes/webhook-receiver.js';
import { trust } from '../../testing/trust.js';
import { RULE_NAMES } from '../alerts/alert-rules.js';
import { parseConfig, type ChimeraConfig } from '../config/index.js';
import { revertLastMigration, migrate } from '../database/index.js';
import { DRILL } from '../doctor/drill.js';
import { Clock } from '../domain/clock.js';
import { drill } from './alerts-drill.js';

const SECRET = 'the-secret-of-the-webhook';
const COUNT = RULE_NAMES.length;

describe('npx chimera alerts test --each', () => {
  let database: TestDatabase;
  let pagerDuty: PagerDutyServer;
  let telegram: TelegramServer;
  let hook: WebhookReceiver;
  let distrust: () => void;
  let printed: string[];
  let remarked: string[];

  beforeAll(async () => {
    database = await TestDatabase.start();
  });
  afterAll(() => database.stop());
  beforeEach(async () => {
    pagerDuty = await PagerDutyServer.start();
    telegram = await TelegramServer.start();
    hook = await WebhookReceiver.start(SECRET);
    distrust = trust(pagerDuty.server.authority);
    [printed, remarked] = [[], []];
  });
  afterEach(async () => {
    distrust();
    await Promise.all([pagerDuty.stop(), telegram.stop(), hook.stop()]);
    await database.dataSource.query('TRUNCATE alert_drills');
  });

  const all = (): string => `
    - { name: pager, kind: pagerduty, url: '${pagerDuty.server.url}', severities: CRITICAL }
    - { name: chat, kind: telegram, apiRoot: '${telegram.server.url}', chatId: '-1001234567890' }
    - { name: hook, kind: webhook, for: notifications }`;
  const configured = (channels = all()): ChimeraConfig => {
    const { host, port, user, password, database: name } = database.server;
    const yaml = withSection('database', `{ host: '${host}', port: ${port}, name: '${name}' }`);
    return parseConfig(`${yaml}\nalerts:\n  channels: ${channels}\n`, {
      ...{ ...VARIABLES, DB_USER: user, DB_PASSWORD: password.reveal() },
      PAGERDUTY_ROUTING_KEY: pagerDuty.routingKey,
      TELEGRAM_BOT_TOKEN: telegram.token,
      ALERT_WEBHOOK_URL: hook.url,
      ALERT_WEBHOOK_SECRET: SECRET,
    });
  };
  const run = (json = false, config = configured()): Promise<number> =>
    drill({ json }, { print: (line) => printed.push(line), remark: (line) => remarked.push(line) }, () =>
      Promise.resolve(config),
    );
  const examined = async (config = configured()): Promise<string> => {
    const finding = await DRILL.look({ config, database: database.database, clock: new Clock() });
    return 'verdict' in finding ? `${finding.verdict}: ${finding.found} → ${finding.cure ?? ''}` : '';
  };

  it('fires each alert once through each channel, marked as a drill, and leaves no incident open', async () => {
    telegram.tooMany = 1;
    expect(await run()).toBe(0);
    expect(remarked).toEqual([
      expect.stringMatching(/^drill [0-9a-f-]{36}: \d+ alerts go through 3 channels$/),
    ]);
    expect(printed).toHaveLength(COUNT + 1);
    expect(printed[0]).toMatch(/^halted +CRITICAL {2}accepted by pager, chat, hook$/);
    expect(printed.at(-1)).toBe(`${3 * COUNT} of ${3 * COUNT} messages were accepted`);
    expect(telegram.texts).toHaveLength(COUNT);
    for (const { text } of telegram.texts)
      expect(text).toMatch(/^\[[A-Z]+\] DRILL: .*\nThis is a drill\. Nothing is wrong/);
    expect(hook.messages.map(({ key }) => key.replace(/^drill-[0-9a-f-]{36}:/, ''))).toEqual(RULE_NAMES);
    expect(hook.messages.every(({ title }) => title.startsWith('DRILL: '))).toBe(true);
    const incidents = [...pagerDuty.incidents.values()];
    expect(incidents).toHaveLength(COUNT);
    expect(new Set(incidents.map(({ status }) => status))).toEqual(new Set(['resolved']));
  });

  it('keeps what each channel made of it, and the check before a live run counts it for 30 days', async () => {
    expect(await examined()).toMatch(/^problem: no alert was fired in a drill in the last 30 days → run npx/);
    await run();
    const rows: object[] = await database.dataSource.query(
      `SELECT chain_id, rule, channel, kind, refusal, at > now() - interval '1 minute' AS is_new FROM alert_drills
       WHERE rule = 'halted' ORDER BY channel`,
    );
    const row = { chain_id: '8453', rule: 'halted', refusal: null, is_new: true };
    expect(rows).toEqual([
      { ...row, channel: 'chat', kind: 'telegram' },
      { ...row, channel: 'hook', kind: 'webhook' },
      { ...row, channel: 'pager', kind: 'pagerduty' },
    ]);
    expect(await examined()).toMatch(new RegExp(`^well: each of the ${COUNT} alerts was fired`));
    const more = configured(`${all()}\n    - { name: second, kind: webhook }`);
    expect(await examined(more)).toMatch(/ the first is halted through second: it was not fired → run npx/);
    await database.dataSource.query(
      "UPDATE alert_drills SET at = now() - interval '31 days' WHERE rule = 'throttled'",
    );
    expect(await examined()).toMatch(
      / alerts 1 lack a drill .* first is throttled through pager: it was not fired/,
    );
    await database.dataSource.query("UPDATE alert_drills SET at = now() - interval '31 days'");
    expect(await examined()).toMatch(/^problem: no alert was fired/);
    expect(await examined(configured('[]'))).toMatch(/^problem: .* no channel is configured → add one/);
  });

  it('says and keeps what was not accepted; a channel that fails three times in a row is left alone', async () => {
    await run();
    hook.fault = { kind: 'status', status: 503 };
    expect(await run(true)).toBe(1);
    expect(hook.server.received).toHaveLength(COUNT + 3);
    const answer = JSON.parse(printed.slice(COUNT + 1).join('\n')) as {
      readonly accepted: number;
      readonly alerts: { readonly channel: string; readonly refusal: string | null }[];
    };
    expect(answer.accepted).toBe(2 * COUNT);
    const refusals = answer.alerts.flatMap(({ channel, refusal }) => (channel === 'hook' ? [refusal] : []));
    expect(refusals.slice(0, 4)).toEqual([
      ...['it answered 503', 'it answered 503', 'it answered 503'],
      'it was not asked, because it failed 3 times in a row',
    ]);
    // The newest drill counts, not the best one.
    expect(await examined()).toMatch(
      new RegExp(`of ${COUNT} alerts ${COUNT} lack .* halted through hook: not accepted, it answered 503`),
    );
    const stored: object[] = await database.dataSource.query('SELECT * FROM alert_drills');
    const said = JSON.stringify([printed, remarked, stored]);
    for (const secret of [telegram.token, hook.url, SECRET, pagerDuty.routingKey])
      expect(said).not.toContain(secret);
  });

  it('sends nothing when it could not keep it', async () => {
    await revertLastMigration(database.server);
    await expect(run()).rejects.toThrow('the tables are not up to date: run npx chimera migrate first');
    await migrate(database.server);
    await expect(run(false, configured('[]'))).rejects.toThrow('alerts.channels: no channel is configured');
    expect(telegram.texts).toEqual([]);
  });
});
