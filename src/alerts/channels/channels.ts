import type { AwsAccess } from '../../aws/aws-access.js';
import type { ChannelConfig, ChannelSecrets, ChimeraConfig } from '../../config/index.js';
import type { Clock } from '../../domain/clock.js';
import type { Secret } from '../../domain/secret.js';
import type { Channel } from './channel.js';

interface Needs {
  readonly source: string;
  readonly clock: Clock;
  readonly secrets: ChannelSecrets | undefined;
  readonly access: AwsAccess;
}

/**
 *  The channels of the configuration. The library of a channel is loaded only when there is one of its kind.
 */
export function channelsOf(config: ChimeraConfig, clock: Clock): Promise<Channel[]> {
  const source = sourceOf(config);
  const { aws: access, channels: secrets } = config.environment;
  return Promise.all(
    config.alerts.channels.map((channel) =>
      channelOf(channel, { source, clock, access, secrets: secrets[channel.name] }),
    ),
  );
}

/** Who speaks, in each message. */
export function sourceOf({ network }: Pick<ChimeraConfig, 'network'>): string {
  return `Chimera on ${network.name}`;
}

async function channelOf(config: ChannelConfig, needs: Needs): Promise<Channel> {
  const { source, clock, secrets, access } = needs;
  const { name, kind } = config;
  switch (kind) {
    case 'sns': {
      const { SnsChannel } = await import('./sns.channel.js');
      return new SnsChannel({ name, source, access, topicArn: config.topicArn });
    }
    case 'pagerduty': {
      const { PagerDutyChannel } = await import('./pagerduty.channel.js');
      return new PagerDutyChannel({ name, source, url: config.url, routingKey: given(secrets?.access) });
    }
    case 'email': {
      const { EmailChannel } = await import('./email.channel.js');
      const { host, port, tls, user, to } = config;
      const [from = ''] = config.from;
      const login = user === undefined ? undefined : { user, password: given(secrets?.access) };
      return new EmailChannel({ name, source, host, port, tls, login, from, to });
    }
    case 'slack': {
      const { SlackChannel } = await import('./slack.channel.js');
      return new SlackChannel({ name, source, url: given(secrets?.access) });
    }
    case 'telegram': {
      const { TelegramChannel } = await import('./telegram.channel.js');
      const { apiRoot, chatId } = config;
      return new TelegramChannel({ name, source, apiRoot, chatId, token: given(secrets?.access) });
    }
    case 'webhook': {
      const { WebhookChannel } = await import('./webhook.channel.js');
      const options = { name, source, url: given(secrets?.access), secret: given(secrets?.signing) };
      return new WebhookChannel(options, clock);
    }
  }
}

/** The configuration was refused without it. */
function given(secret: Secret | undefined): Secret {
  if (!secret) throw new TypeError('a channel without its secret');
  return secret;
}
