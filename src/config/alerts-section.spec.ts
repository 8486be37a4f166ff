import { describe, expect, it } from 'vitest';
import { LEAST, problemsOf, VARIABLES } from '../../testing/configuration.js';
import { isSafeWebUrl } from './web-url.js';
import { parseConfig } from './parse-config.js';

const withAlerts = (alerts: string): string => `${LEAST}\nalerts: ${alerts}\n`;
const TOKEN = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawT';
const SECRETS = {
  ...VARIABLES,
  PAGERDUTY_ROUTING_KEY: 'R0UT1NGKEY0123456789ABCDEFGHIJKL',
  SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/secret-of-slack',
  SMTP_PASSWORD: 'the-password-of-the-mailbox',
  TELEGRAM_BOT_TOKEN: TOKEN,
  ALERT_WEBHOOK_URL: 'http://127.0.0.1:8080/chimera',
  ALERT_WEBHOOK_SECRET: 'sixteen-characters',
};
const ALL = `
  quietHours: { from: '22:00', to: '07:30', timeZone: Europe/Berlin }
  channels:
    - { name: pager, kind: pagerduty, severities: [CRITICAL, HIGH], for: alerts }
    - { name: chat, kind: slack, severities: 'HIGH, CRITICAL' }
    - { name: wins, kind: telegram, chatId: '-1001234567890', for: notifications, apiRoot: 'https://telegram.example.com/' }
    - { name: topic, kind: sns, topicArn: 'arn:aws:sns:eu-central-1:123456789012:chimera' }
    - { name: hook, kind: webhook }
    - { name: mail, kind: email, host: smtp.example.com, user: me, from: a@example.com, to: [b@example.com, c@example.com] }`;

describe('the section of alerts', () => {
  it('has defaults, and no channel', () => {
    const { alerts, environment } = parseConfig(LEAST, VARIABLES);
    expect(alerts).toMatchObject({ runbook: 'docs/runbook.md', escalateAfterMinutes: 15, reportHour: 0 });
    expect(alerts).toMatchObject({ quietHours: undefined, channels: [] });
    expect(environment.channels).toEqual({});
  });

  it('reads each kind of channel, with lists as lists or as texts', () => {
    const { alerts, environment } = parseConfig(withAlerts(ALL), SECRETS);
    expect(alerts.quietHours).toMatchObject({ fromMinute: 1_320, toMinute: 450, timeZone: 'Europe/Berlin' });
    expect(alerts.channels).toMatchObject([
      { severities: ['CRITICAL', 'HIGH'], for: 'alerts', url: 'https://events.pagerduty.com' },
      { severities: ['CRITICAL', 'HIGH'], for: 'all' },
      { severities: ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'], apiRoot: 'https://telegram.example.com' },
      { topicArn: 'arn:aws:sns:eu-central-1:123456789012:chimera' },
      { name: 'hook' },
      { port: 587, tls: 'starttls', from: ['a@example.com'], to: ['b@example.com', 'c@example.com'] },
    ]);
    expect(environment.channels.wins?.access?.reveal()).toBe(TOKEN);
    expect(environment.channels.topic).toEqual({ access: undefined, signing: undefined });
    expect(environment.channels.hook?.signing?.reveal()).toBe('sixteen-characters');
    expect(JSON.stringify(environment)).not.toMatch(/secret-of-slack|AAHdq|the-password/);
  });

  it('gives a channel a secret of its own', () => {
    const two = `{ channels: [
      { name: ops, kind: telegram, chatId: '1' }, { name: the-wins, kind: telegram, chatId: '2' }] }`;
    const own = '987654321:BBHdqTcvCH1vGWJxfSeofSAs0K5PALDsawT';
    const variables = { ...SECRETS, TELEGRAM_BOT_TOKEN_THE_WINS: own };
    const { channels } = parseConfig(withAlerts(two), variables).environment;
    expect([channels.ops, channels['the-wins']].map((one) => one?.access?.reveal())).toEqual([TOKEN, own]);
  });

  describe('orders over Telegram', () => {
    const control = (keys: string, channel = '{ name: chat, kind: telegram, chatId: "-1" }'): string =>
      withAlerts(`{ control: { ${keys} }, channels: [${channel}] }`);

    it('are off unless they are enabled', () => {
      expect(parseConfig(LEAST, VARIABLES).alerts.control).toBeUndefined();
      const off = parseConfig(control("channel: chat, chats: '-5', users: '7'"), SECRETS).alerts;
      expect(off.control).toEqual({ enabled: false, channel: 'chat', chats: ['-5'], users: ['7'] });
      const on = parseConfig(control("enabled: true, channel: chat, chats: [-5, 7], users: '7, 8'"), SECRETS);
      expect(on.alerts.control).toEqual({
        enabled: true,
        channel: 'chat',
        chats: ['-5', '7'],
        users: ['7', '8'],
      });
    });

    it.each([
      ['channel: chat, users: 7', 'alerts.control.chats: is missing; ids of chats (numbers) was expected'],
      ['channel: chat, chats: "@ops", users: 7', 'alerts.control.chats: "@ops" is not valid'],
      ['channel: chat, chats: -5, users: -7', 'alerts.control.users: "-7" is not valid'],
      ['channel: chat, chats: -5, users: []', 'alerts.control.users: '],
      [
        'channel: other, chats: -5, users: 7',
        'a channel of kind telegram with the name "other" was expected',
      ],
    ])('refuses %s', (keys, sentence) => {
      expect(problemsOf(control(keys), SECRETS).join('\n')).toContain(sentence);
    });

    it('refuses a channel of another kind', () => {
      const problems = problemsOf(
        control('channel: chat, chats: -5, users: 7', '{ name: chat, kind: slack }'),
        SECRETS,
      );
      expect(problems).toEqual([
        expect.stringMatching(/^alerts\.channels: .*kind telegram with the name "chat"/),
      ]);
    });
  });

  it('names every mistake at once, and no secret', () => {
    const problems = problemsOf(
      withAlerts(`
  escalateAfterMinutes: soon
  quietHours: { from: 22, to: '07:00', timeZone: Berlin }
  channels:
    - { name: a, kind: pigeon, colour: grey }
    - { name: a, kind: slack, severities: [URGENT], for: me }
    - { name: b, kind: email, host: 'a b', user: me, from: 'two@example.com, x', to: 'nobody' }
    - { name: c, kind: telegram, chatId: my chat, apiRoot: 'http://telegram.example.com' }
    - { name: d, kind: sns, topicArn: chimera, token: x }
    - { name: e, kind: webhook }`),
      {
        ...VARIABLES,
        SLACK_WEBHOOK_URL: 'http://hooks.example.com/very-secret',
        TELEGRAM_BOT_TOKEN: 'very-secret',
        ALERT_WEBHOOK_SECRET: 'very-secret',
      },
    );
    expect(problems.join('\n')).not.toContain('very-secret');
    for (const start of [
      'alerts.escalateAfterMinutes: "soon" is not valid; an integer from 0 to 1440 was expected',
      'alerts.quietHours.from: "22" is not valid; a time of day in quotes was expected',
      'alerts.quietHours.timeZone: "Berlin" is not valid; the name of a time zone was expected',
      'alerts.channels: this list is not valid; a different name for each element was expected',
      'alerts.channels[0].kind: "pigeon" is not valid; one of sns, pagerduty, email, slack, telegram, webhook',
      'alerts.channels[1].severities: ',
      'alerts.channels[1].for: "me" is not valid; one of alerts, notifications, all was expected',
      'alerts.channels[2].host: "a b" is not valid',
      'alerts.channels[2].from: "two@example.com, x" is not valid; a mail address was expected',
      'alerts.channels[2].to: "nobody" is not valid; 1 to 50 mail addresses was expected',
      'alerts.channels[3].chatId: "my chat" is not valid; the id of a chat, or @name of a public channel',
      'alerts.channels[3].apiRoot: *** is not valid; an https:// URL (http:// only to this machine)',
      'alerts.channels[4].topicArn: "chimera" is not valid; the ARN of a topic was expected',
      'alerts.channels[4].token: is not a key of this file, because secrets do not belong here',
      'SLACK_WEBHOOK_URL: the value is not valid for the channel "a"; an https:// URL',
      'SMTP_PASSWORD: the environment variable has no value, but the channel "b" (email) needs it',
      'TELEGRAM_BOT_TOKEN: the value is not valid for the channel "c"',
      'ALERT_WEBHOOK_URL: the environment variable has no value, but the channel "e" (webhook) needs it; set ALERT_WEBHOOK_URL, or ALERT_WEBHOOK_URL_E for this channel alone',
      'ALERT_WEBHOOK_SECRET: the value is not valid for the channel "e"; a secret of at least 16 characters',
    ])
      expect(
        problems.some((problem) => problem.startsWith(start)),
        start,
      ).toBe(true);
  });

  it.each([
    ['https://hooks.example.com/x', true],
    ['http://127.0.0.1:9/x', true],
    ['http://localhost/x', true],
    ['http://[::1]:9/x', true],
    ['http://hooks.example.com/x', false],
    ['http://169.254.169.254/latest/meta-data', false],
    ['http://127.0.0.1.example.com/', false],
    ['http://0.0.0.0/', false],
    ['https://user:password@hooks.example.com/', false],
    ['file:///etc/passwd', false],
    ['gopher://127.0.0.1/', false],
    ['https://', false],
    ['hooks.example.com', false],
  ])('A08 takes messages to %s: %s', (url, isSafe) => {
    expect(isSafeWebUrl(url)).toBe(isSafe);
  });
});
