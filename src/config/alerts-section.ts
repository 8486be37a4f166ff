import { SEVERITIES, type MessageTopic, type Severity } from '../domain/alert.js';
import {
  HourAndMinute,
  MailAddresses,
  Severities,
  TelegramIds,
  TimeZone,
  WebUrl,
} from './alert-key-types.js';
import { Choice, Flag, Host, Integer, Name, PatternText } from './key-types.js';
import { List, Section, type Mapping, type SectionClass } from './keys.js';
import { DistinctNames, NamedBy } from './rules.js';

const ALL_SEVERITIES = SEVERITIES.join(', ');

class ChannelSection {
  /** Its name in the log and in the status; a secret of its own has it at the end of its variable. */
  @Name({ example: 'pager' })
  readonly name!: string;

  /** What it is told. */
  @Severities({ default: ALL_SEVERITIES, example: 'CRITICAL, HIGH' })
  readonly severities!: readonly Severity[];

  /** alerts: trouble. notifications: wins, and the reports of the day and of the week. */
  @Choice({ of: ['alerts', 'notifications', 'all'], default: 'all' })
  readonly for!: `${MessageTopic}s` | 'all';
}

/** An Amazon SNS topic. Region and credentials come from the variables and files of the AWS SDK. */
export class SnsChannelConfig extends ChannelSection {
  @Choice({ of: ['sns'] })
  readonly kind!: 'sns';

  @PatternText({
    pattern: /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/,
    expected: 'the ARN of a topic',
    example: 'arn:aws:sns:eu-central-1:123456789012:chimera',
  })
  readonly topicArn!: string;
}

/** The Events API v2. The key of the integration is PAGERDUTY_ROUTING_KEY. */
export class PagerDutyChannelConfig extends ChannelSection {
  @Choice({ of: ['pagerduty'] })
  readonly kind!: 'pagerduty';

  /** Of the service region: in Europe https://events.eu.pagerduty.com */
  @WebUrl({ default: 'https://events.pagerduty.com', example: 'https://events.eu.pagerduty.com' })
  readonly url!: string;
}

/** The password is SMTP_PASSWORD. */
export class EmailChannelConfig extends ChannelSection {
  @Choice({ of: ['email'] })
  readonly kind!: 'email';

  @Host({ example: 'smtp.example.com' })
  readonly host!: string;

  @Integer({ min: 1, max: 65_535, default: '587', example: 587 })
  readonly port!: number;

  /** starttls: the connection begins plain, and must be encrypted before anything is sent. */
  @Choice({ of: ['starttls', 'implicit'], default: 'starttls' })
  readonly tls!: 'starttls' | 'implicit';

  /** Absent: without a login. */
  @PatternText({
    pattern: /^\S{1,200}$/,
    expected: 'a user name',
    example: 'chimera@example.com',
    optional: true,
  })
  readonly user?: string;

  @MailAddresses({ most: 1, example: 'chimera@example.com' })
  readonly from!: readonly string[];

  @MailAddresses({ most: 50, example: 'ops@example.com, oncall@example.com' })
  readonly to!: readonly string[];
}

/** An incoming webhook. Its address is SLACK_WEBHOOK_URL. */
export class SlackChannelConfig extends ChannelSection {
  @Choice({ of: ['slack'] })
  readonly kind!: 'slack';
}

/** The token of the bot is TELEGRAM_BOT_TOKEN. */
export class TelegramChannelConfig extends ChannelSection {
  @Choice({ of: ['telegram'] })
  readonly kind!: 'telegram';

  /** A number, negative for a group; or @name of a public channel. */
  @PatternText({
    pattern: /^(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{4,31})$/,
    expected: 'the id of a chat, or @name of a public channel',
    example: '-1001234567890',
  })
  readonly chatId!: string;

  /** Of a Bot API server of your own. */
  @WebUrl({ default: 'https://api.telegram.org', example: 'https://telegram.example.com' })
  readonly apiRoot!: string;
}

/** Signed JSON to an address of your own: ALERT_WEBHOOK_URL, signed with ALERT_WEBHOOK_SECRET. */
export class WebhookChannelConfig extends ChannelSection {
  @Choice({ of: ['webhook'] })
  readonly kind!: 'webhook';
}

export type ChannelConfig =
  | SnsChannelConfig
  | PagerDutyChannelConfig
  | EmailChannelConfig
  | SlackChannelConfig
  | TelegramChannelConfig
  | WebhookChannelConfig;

export type ChannelKind = ChannelConfig['kind'];

/** The class of each kind. */
export const CHANNEL_SECTIONS: Readonly<Record<ChannelKind, SectionClass>> = {
  sns: SnsChannelConfig,
  pagerduty: PagerDutyChannelConfig,
  email: EmailChannelConfig,
  slack: SlackChannelConfig,
  telegram: TelegramChannelConfig,
  webhook: WebhookChannelConfig,
};

/** A channel of no known kind. Its other keys are not checked. */
class UnknownChannel extends ChannelSection {
  static readonly acceptsAnyKey = true;

  @Choice({ of: ['sns', 'pagerduty', 'email', 'slack', 'telegram', 'webhook'] })
  readonly kind!: string;
}

const channelOf = ({ kind }: Mapping): SectionClass =>
  (typeof kind === 'string' && Object.hasOwn(CHANNEL_SECTIONS, kind)
    ? CHANNEL_SECTIONS[kind as ChannelKind]
    : undefined) ?? UnknownChannel;

/** From one time of day to another. The time may be of the next day. */
export class QuietHoursConfig {
  @HourAndMinute({ key: 'from', example: '22:00' })
  readonly fromMinute!: number;

  @HourAndMinute({ key: 'to', example: '07:00' })
  readonly toMinute!: number;

  @TimeZone({ default: 'UTC', example: 'Europe/Berlin' })
  readonly timeZone!: string;
}

/** Orders of operators over a Telegram bot: docs/telegram.md. */
export class TelegramControlConfig {
  /** Without true nothing is asked of Telegram. */
  @Flag({ default: 'false' })
  readonly enabled!: boolean;

  /** The channel of kind telegram whose bot takes the orders. */
  @Name({ example: 'chat' })
  readonly channel!: string;

  /** Ids of chats. Orders from others get no answer. */
  @TelegramIds({ of: 'chats', example: '-1001234567890' })
  readonly chats!: readonly string[];

  /** Ids of users. An order counts when both its chat and its user are listed. */
  @TelegramIds({ of: 'users', example: '4711' })
  readonly users!: readonly string[];
}

/** What the bot tells its operators, and how. */
export class AlertsConfig {
  /** A section of it stands in each message. A path is one of the repository. */
  @PatternText({
    pattern: /^\S{1,500}$/,
    expected: 'an address without spaces',
    default: 'docs/runbook.md',
    example: 'https://wiki.example.com/chimera',
  })
  readonly runbook!: string;

  /** CRITICAL and HIGH alerts that nobody acknowledges are repeated after this time. 0: never. */
  @Integer({ min: 0, max: 1440, default: '15', example: 15 })
  readonly escalateAfterMinutes!: number;

  /** LOW messages wait until these hours are over. */
  @Section(() => QuietHoursConfig, { optional: true })
  readonly quietHours?: QuietHoursConfig;

  /** The hour (UTC) from which on the report of the day before is sent. */
  @Integer({ min: 0, max: 23, default: '0', example: 6 })
  readonly reportHour!: number;

  /** Absent: nothing can be ordered over Telegram. */
  @Section(() => TelegramControlConfig, { optional: true })
  readonly control?: TelegramControlConfig;

  @NamedBy('control.channel', 'telegram')
  @DistinctNames()
  @List({
    choose: channelOf,
    default: [],
    expected: 'a list of channels',
    example: '[{ name: chat, kind: slack }]',
  })
  readonly channels!: readonly ChannelConfig[];
}
