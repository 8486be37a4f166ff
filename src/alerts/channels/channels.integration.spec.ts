import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aMessage } from '../../../testing/builders/message.js';
import { AwsServer } from '../../../testing/nodes/aws.js';
import { MailServer } from '../../../testing/nodes/mail-server.js';
import { PagerDutyServer } from '../../../testing/nodes/pagerduty.js';
import { jsonAnswer, ReceivingServer } from '../../../testing/nodes/receiving-server.js';
import { SlackServer } from '../../../testing/nodes/slack.js';
import { TelegramServer } from '../../../testing/nodes/telegram.js';
import { WebhookReceiver } from '../../../testing/nodes/webhook-receiver.js';
import { trust } from '../../../testing/trust.js';
import { Clock } from '../../domain/clock.js';
import { Secret } from '../../domain/secret.js';
import { attempt } from '../channel-worker.js';
import { DeliveryError, type Channel } from './channel.js';
import { EmailChannel, type EmailOptions } from './email.channel.js';
import { PagerDutyChannel } from './pagerduty.channel.js';
import { SlackChannel } from './slack.channel.js';
import { SnsChannel } from './sns.channel.js';
import { TelegramChannel } from './telegram.channel.js';
import { WebhookChannel } from './webhook.channel.js';

const source = 'Chimera on devnet';
const deliver = (channel: Channel, message = aMessage(), deadlineMs = 20_000): Promise<void> =>
  attempt(channel, message, new Clock(), deadlineMs);

async function failureOf(
  channel: Channel,
  message = aMessage(),
  deadlineMs?: number,
): Promise<DeliveryError> {
  const error: unknown = await deliver(channel, message, deadlineMs).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeliveryError)) throw new Error(`no failure of a delivery: ${String(error)}`);
  return error;
}

/** What every service over HTTPS does in the same way. */
interface Service {
  readonly server: ReceivingServer;
  tooMany?: number;
  stop(): Promise<void>;
}

interface Case {
  readonly name: string;
  readonly start: () => Promise<{
    readonly service: Service;
    readonly channel: Channel;
    readonly secrets: string[];
  }>;
}

const CASES: readonly Case[] = [
  {
    name: 'pagerduty',
    start: async () => {
      const service = await PagerDutyServer.start();
      const routingKey = new Secret(service.routingKey);
      const channel = new PagerDutyChannel({ name: 'pager', url: service.server.url, routingKey, source });
      return { service, channel, secrets: [service.routingKey] };
    },
  },
  {
    name: 'telegram',
    start: async () => {
      const service = await TelegramServer.start();
      const token = new Secret(service.token);
      const apiRoot = service.server.url;
      const channel = new TelegramChannel({ name: 'chat', apiRoot, chatId: '-1001234567890', token, source });
      return { service, channel, secrets: [service.token] };
    },
  },
  {
    name: 'slack',
    start: async () => {
      const service = await SlackServer.start();
      const channel = new SlackChannel({ name: 'chat', url: new Secret(service.url), source });
      return { service, channel, secrets: [service.url] };
    },
  },
  {
    name: 'webhook',
    start: async () => {
      const service = await WebhookReceiver.start('a-secret-of-the-hook', 'https');
      const options = {
        name: 'hook',
        url: new Secret(service.url),
        secret: new Secret('a-secret-of-the-hook'),
      };
      return {
        service,
        channel: new WebhookChannel({ ...options, source }, new Clock()),
        secrets: [service.url, 'a-secret-of-the-hook'],
      };
    },
  },
];

describe.each(CASES)('$name', ({ start }) => {
  let service: Service;
  let channel: Channel;
  let secrets: string[];
  let distrust: () => void;

  beforeEach(async () => {
    ({ service, channel, secrets } = await start());
    distrust = trust(service.server.authority);
  });

  afterEach(async () => {
    distrust();
    await service.stop();
  });

  it('takes a message that fires, lasts, and is over', async () => {
    await deliver(channel);
    await deliver(channel, aMessage({ status: 'resolved', text: 'It lasted 12 s: …' }));
    await deliver(
      channel,
      aMessage({ status: 'report', topic: 'notification', severity: 'LOW', key: 'day' }),
    );
    expect(service.server.received).toHaveLength(3);
  });

  it('takes the longest texts, of whatever characters', async () => {
    const text = '€🙂<&>"\\'.repeat(4_000);
    await deliver(
      channel,
      aMessage({ text, title: 'ü'.repeat(3_000), details: [text], key: 'k'.repeat(900) }),
    );
    await deliver(
      channel,
      aMessage({ text: 'It is 50-60 % (a_b*c) [d] `e` #1 +=|{}.!~>', key: 'k'.repeat(900) }),
    );
    expect(service.server.received).toHaveLength(2);
  });

  it('F37 names a refusal by its number alone, and knows what is worth another try', async () => {
    // Telegram tells the number in its body too.
    const body = JSON.stringify({ ok: false, error_code: 500, description: 'Internal Server Error' });
    service.server.fault = { kind: 'status', status: 500, body };
    expect(await failureOf(channel)).toMatchObject({
      message: 'it answered 500',
      isFinal: false,
    });
    // What stands between us and a service answers with a page of its own.
    service.server.fault = { kind: 'status', status: 200, body: '<html>Please log in</html>' };
    if (channel.kind !== 'webhook') expect((await failureOf(channel)).isFinal).toBe(false);
    service.server.fault = { kind: 'reset' };
    expect((await failureOf(channel)).message).toMatch(/^it cannot be reached( \(\w+\))?$/);
    service.server.fault = { kind: 'black-hole' };
    expect((await failureOf(channel, aMessage(), 300)).message).toBe('it did not answer in time');
    service.server.fault = undefined;
    await deliver(channel);
  });

  it('A08 does not follow a redirect', async () => {
    const elsewhere = await ReceivingServer.start(() => jsonAnswer(200, { ok: true, result: {} }), 'http');
    service.server.fault = { kind: 'status', status: 307, headers: { location: `${elsewhere.url}/inside` } };
    const failure = await failureOf(channel);
    expect(elsewhere.received).toEqual([]);
    for (const secret of secrets) expect(failure.message).not.toContain(secret);
    await elsewhere.stop();
  });

  it('shows no address and no token when nobody answers, or the certificate is wrong', async () => {
    distrust();
    const wrong = await failureOf(channel);
    distrust = trust(service.server.authority);
    await service.stop();
    const away = await failureOf(channel);
    for (const { message } of [wrong, away]) {
      expect(message).toMatch(/^it cannot be reached \([A-Z_]+\)$/);
      for (const secret of secrets) expect(message).not.toContain(secret);
    }
  });
});

describe('too many messages', () => {
  it.each(CASES.filter(({ name }) => name !== 'webhook'))('$name asks to wait', async ({ start }) => {
    const { service, channel } = await start();
    const distrust = trust(service.server.authority);
    service.tooMany = 1;
    expect(await failureOf(channel)).toMatchObject({
      message: 'it answered 429',
      retryAfterMs: 1_000,
      isFinal: false,
    });
    await deliver(channel);
    distrust();
    await service.stop();
  });
});

describe('pagerduty', () => {
  it('has one incident for one trouble, and resolves it', async () => {
    const pagerDuty = await PagerDutyServer.start();
    const distrust = trust(pagerDuty.server.authority);
    const options = { name: 'pager', url: pagerDuty.server.url, source };
    const channel = new PagerDutyChannel({ ...options, routingKey: new Secret(pagerDuty.routingKey) });
    await deliver(channel, aMessage({ key: 'halted', severity: 'CRITICAL' }));
    await deliver(channel, aMessage({ key: 'halted', severity: 'CRITICAL' }));
    await deliver(channel, aMessage({ key: 'endpoint-degraded:backup', severity: 'MEDIUM' }));
    await deliver(channel, aMessage({ key: 'halted', severity: 'CRITICAL', status: 'resolved' }));
    expect([...pagerDuty.incidents]).toMatchObject([
      ['Chimera on devnet/halted', { status: 'resolved', severity: 'critical', triggers: 2 }],
      [
        'Chimera on devnet/endpoint-degraded:backup',
        { status: 'triggered', severity: 'warning', triggers: 1 },
      ],
    ]);
    const wrong = new PagerDutyChannel({ ...options, routingKey: new Secret('too-short') });
    expect(await failureOf(wrong)).toMatchObject({ message: 'it answered 400', isFinal: true });
    distrust();
    await pagerDuty.stop();
  });
});

describe('telegram', () => {
  it('is silent for LOW alone, and tries again with a token or a chat that is put right', async () => {
    const telegram = await TelegramServer.start();
    const distrust = trust(telegram.server.authority);
    const options = { name: 'chat', apiRoot: telegram.server.url, source, chatId: '@chimera_ops' };
    const channel = new TelegramChannel({ ...options, token: new Secret(telegram.token) });
    await deliver(channel);
    await deliver(channel, aMessage({ severity: 'LOW' }));
    expect(telegram.texts.map(({ isSilent }) => isSilent)).toEqual([false, true]);
    expect(telegram.texts[0]?.text).toBe(
      '[HIGH] The bot is THROTTLED\nFewer liquidations are executed, one at a time: 1 of 2 failed\nWhat to do: https://wiki.example.com/chimera#throttled\nChimera on devnet, 2026-01-01T00:00:00.000Z',
    );
    const unknown = new TelegramChannel({ ...options, token: new Secret('987654321:wrong') });
    expect(await failureOf(unknown)).toMatchObject({ message: 'it answered 401', isFinal: false });
    const nowhere = new TelegramChannel({ ...options, chatId: '-1', token: new Secret(telegram.token) });
    expect(await failureOf(nowhere)).toMatchObject({ message: 'it answered 400', isFinal: false });
    distrust();
    await telegram.stop();
  });
});

describe('webhook', () => {
  it('is signed with the secret of both sides, and says its own id when it comes again', async () => {
    const receiver = await WebhookReceiver.start('the-secret-of-both-sides', 'http');
    const url = new Secret(receiver.url);
    const options = { name: 'hook', url, source, secret: new Secret('the-secret-of-both-sides') };
    const message = aMessage();
    await deliver(new WebhookChannel(options, new Clock()), message);
    await deliver(new WebhookChannel(options, new Clock()), message);
    expect(receiver).toMatchObject({ repeated: 1, messages: [{ id: message.id, severity: 'HIGH' }] });

    const other = new WebhookChannel({ ...options, secret: new Secret('another-secret') }, new Clock());
    expect(await failureOf(other)).toMatchObject({ message: 'it answered 401', isFinal: false });
    const old = new Clock();
    old.wallMs = () => Date.now() - 3_600_000;
    expect((await failureOf(new WebhookChannel(options, old))).message).toBe('it answered 401');
    await receiver.stop();
  });
});

describe('email', () => {
  let mail: MailServer;
  let distrust: () => void;
  const channelTo = (server: MailServer, more: Partial<EmailOptions> = {}): EmailChannel =>
    new EmailChannel({
      ...{ name: 'mail', host: '127.0.0.1', port: server.port, tls: 'starttls', source },
      login: { user: server.user, password: new Secret(server.password) },
      from: 'chimera@example.com',
      to: ['ops@example.com', 'oncall@example.com'],
      ...more,
    });

  beforeAll(async () => {
    mail = await MailServer.start();
    distrust = trust(await authorityOf(mail));
  });
  afterAll(async () => {
    distrust();
    await mail.stop();
  });
  afterEach(() => {
    mail.mails.length = 0;
    mail.unknown.clear();
    mail.answer = undefined;
    mail.hold = undefined;
  });

  it('reaches every recipient over STARTTLS, after the login', async () => {
    const message = aMessage({ title: 'A line\nbreak and € 🙂', severity: 'CRITICAL' });
    await deliver(channelTo(mail), message);
    expect(mail.mails).toMatchObject([
      {
        from: 'chimera@example.com',
        to: ['ops@example.com', 'oncall@example.com'],
        user: 'chimera',
        wasEncrypted: true,
      },
    ]);
    const text = mail.mails[0]?.source ?? '';
    expect(text).toContain(`Message-ID: <${message.id}@chimera.invalid>`);
    expect(text).toContain('Auto-Submitted: auto-generated');
    expect(text.split('\r\n\r\n')[0]).not.toMatch(/^break/m);
  });

  it('is sent over a connection that is encrypted from the start', async () => {
    const implicit = await MailServer.start({ implicitTls: true });
    const stop = trust(await authorityOf(implicit));
    await deliver(channelTo(implicit, { tls: 'implicit' }));
    expect(implicit.mails).toHaveLength(1);
    stop();
    await implicit.stop();
  });

  it('is not sent, and no password either, to a server that offers no encryption', async () => {
    const plain = await MailServer.start({ offersTls: false });
    expect(await failureOf(channelTo(plain))).toMatchObject({
      message: 'the connection cannot be encrypted, or not trusted (ETLS)',
      isFinal: false,
    });
    expect(plain.mails).toEqual([]);
    await plain.stop();
  });

  it('is not sent to a server whose certificate nobody signed', async () => {
    distrust();
    expect((await failureOf(channelTo(mail))).message).toMatch(
      /^(it cannot be reached|the connection cannot be encrypted)/,
    );
    distrust = trust(await authorityOf(mail));
    expect(mail.mails).toEqual([]);
  });

  it('F37 is tried again after a wrong password, a full mailbox, and silence', async () => {
    const login = { user: 'chimera', password: new Secret('not-the-password') };
    expect(await failureOf(channelTo(mail, { login }))).toMatchObject({
      message: 'it refused the login (535)',
      isFinal: false,
    });
    mail.answer = 452;
    expect(await failureOf(channelTo(mail))).toMatchObject({ message: 'it answered 452', isFinal: false });
    mail.answer = undefined;
    let release = (): void => undefined;
    mail.hold = new Promise((resolve) => (release = resolve));
    expect((await failureOf(channelTo(mail), aMessage(), 1_500)).message).toBe('it did not answer in time');
    release();
  });

  it('is not sent twice to the others when one recipient is unknown', async () => {
    mail.unknown.add('oncall@example.com');
    expect(await failureOf(channelTo(mail))).toMatchObject({
      message: '1 of 2 recipients were refused',
      isFinal: true,
    });
    expect(mail.mails).toMatchObject([{ to: ['ops@example.com'] }]);
  });
});

describe('sns', () => {
  let aws: AwsServer;
  beforeAll(async () => {
    aws = await AwsServer.start();
  });
  afterAll(() => aws.stop());
  afterEach(() => aws.faults.clear());

  it('is published with its severity, signed by the keys of the environment', async () => {
    const topicArn = aws.topics.create('chimera');
    const channel = new SnsChannel({ name: 'topic', topicArn, access: aws.access, source });
    await deliver(channel);
    await deliver(channel, aMessage({ title: 'ü'.repeat(400), text: '€'.repeat(200_000) }));
    expect(aws.topics.published[0]).toMatchObject({ subject: '[HIGH] The bot is THROTTLED' });
    expect(aws.topics.published[0]?.attributes.get('severity')).toBe('HIGH');
    expect(aws.topics.published).toHaveLength(2);
  });

  it('F37 is tried again after everything but a message that is at fault', async () => {
    const topicArn = aws.topics.create('chimera');
    const channel = new SnsChannel({ name: 'topic', topicArn, access: aws.access, source });
    aws.faults.set('sns', { kind: 'throttle' });
    expect((await failureOf(channel)).message).toMatch(/^it answered 4\d\d \(Thrott/);
    aws.faults.set('sns', { kind: 'black-hole' });
    expect((await failureOf(channel, aMessage(), 300)).message).toBe('it did not answer in time');
    aws.faults.set('sns', { kind: 'denied' });
    expect(await failureOf(channel)).toMatchObject({ isFinal: false });
    aws.faults.clear();
    await deliver(channel);
    const other = new SnsChannel({ name: 'topic', topicArn: `${topicArn}-gone`, access: aws.access, source });
    expect((await failureOf(other)).message).toMatch(/^it answered 404 \(NotFound/);
  });
});

function authorityOf({ authorityFile }: MailServer): Promise<string> {
  return readFile(authorityFile, 'utf8');
}
