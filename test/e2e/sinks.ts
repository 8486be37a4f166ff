import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChannelKind } from '../../src/config/alerts-section.js';
import type { AwsServer } from '../../testing/nodes/aws.js';
import { MailServer } from '../../testing/nodes/mail-server.js';
import { PagerDutyServer } from '../../testing/nodes/pagerduty.js';
import { ReceivingServer } from '../../testing/nodes/receiving-server.js';
import { TelegramServer } from '../../testing/nodes/telegram.js';
import { WebhookReceiver } from '../../testing/nodes/webhook-receiver.js';

/** Where the messages of one channel arrive. */
export interface Sink {
  /** The channel in the configuration. */
  readonly yaml: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Everything that arrived, without what the other side needs to know the bot. */
  readonly read: () => readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * A reader for each kind of channel: a new kind does not compile without one. Each secret holds `mark`.
 */
const READERS: Readonly<Record<ChannelKind, (mark: string, aws: AwsServer) => Promise<Sink>>> = {
  sns: (_, aws) => {
    const topicArn = aws.topics.create('alerts');
    return Promise.resolve({
      yaml: `{ name: topic, kind: sns, topicArn: "${topicArn}" }`,
      variables: {},
      read: () => aws.callsOf('sns').map(({ body }) => decodeURIComponent(body)),
      stop: () => Promise.resolve(),
    });
  },
  pagerduty: async (mark) => {
    const server = await PagerDutyServer.start(`${mark}RoutingKey`.padEnd(32, '0'));
    return {
      yaml: `{ name: pager, kind: pagerduty, url: "${server.server.url}" }`,
      variables: { PAGERDUTY_ROUTING_KEY: server.routingKey },
      read: () => server.server.received.map(({ body }) => body.replace(server.routingKey, '')),
      stop: () => server.stop(),
    };
  },
  email: async (mark) => {
    const server = await MailServer.start();
    server.password = `mail pass"word ${mark}`;
    const addresses = 'from: chimera@example.com, to: ops@example.com';
    return {
      yaml: `{ name: mail, kind: email, host: 127.0.0.1, port: ${server.port}, user: ${server.user}, ${addresses} }`,
      variables: { SMTP_PASSWORD: server.password },
      read: () => server.mails.map(({ source }) => source),
      stop: () => server.stop(),
    };
  },
  slack: async (mark) => {
    const server = await ReceivingServer.start(() => ({ status: 200, body: 'ok' }));
    return {
      yaml: '{ name: chat, kind: slack }',
      variables: { SLACK_WEBHOOK_URL: `${server.url}/services/T0/B0/slack-${mark}-0123456789` },
      read: () => server.received.map(({ body }) => body),
      stop: () => server.stop(),
    };
  },
  telegram: async (mark) => {
    const server = await TelegramServer.start(`123456789:${`AA${mark}`.padEnd(35, 'b')}`);
    return {
      yaml: `{ name: wins, kind: telegram, chatId: "-1001234567890", apiRoot: "${server.server.url}" }`,
      variables: { TELEGRAM_BOT_TOKEN: server.token },
      read: () => server.server.received.map(({ body }) => body),
      stop: () => server.stop(),
    };
  },
  webhook: async (mark) => {
    const secret = `webhook secret/${mark}+0123456789`;
    const server = await WebhookReceiver.start(secret);
    return {
      yaml: '{ name: hook, kind: webhook }',
      variables: {
        ALERT_WEBHOOK_URL: `${server.url}?key=hook-${mark}-0123456789`,
        ALERT_WEBHOOK_SECRET: secret,
      },
      read: () => server.server.received.map(({ body, headers }) => body + JSON.stringify(headers)),
      stop: () => server.stop(),
    };
  },
};

/** One channel of each kind. */
export async function openChannels(
  mark: string,
  aws: AwsServer,
): Promise<Readonly<Record<ChannelKind, Sink>>> {
  const kinds = Object.keys(READERS) as ChannelKind[];
  const sinks = await Promise.all(kinds.map(async (kind) => [kind, await READERS[kind](mark, aws)] as const));
  return Object.fromEntries(sinks) as Record<ChannelKind, Sink>;
}

/** The text of each file in a directory and below it. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')));
}
