import { Secret } from '../domain/secret.js';
import type { ChannelKind } from './alerts-section.js';
import { isSafeWebUrl } from './web-url.js';

/** What a channel needs that must not stand in the file. */
export interface ChannelSecrets {
  /** A token, a password, or an address that is a secret. */
  readonly access: Secret | undefined;
  /** The key with which its messages are signed. */
  readonly signing: Secret | undefined;
}

/** A channel of the file, as far as its secrets go. */
export interface ChannelNeeds {
  readonly name: string;
  readonly kind: ChannelKind;
  /** Whether it logs in: e-mail without a user needs no password. */
  readonly logsIn: boolean;
}

interface Needed {
  readonly variable: string;
  readonly as: keyof ChannelSecrets;
  readonly isValid: (value: string) => boolean;
  /** Continues "the value is not …". */
  readonly expected: string;
}

const URL_EXPECTED = 'an https:// URL (http:// only to this machine)';

const NEEDED: Readonly<Record<ChannelKind, readonly Needed[]>> = {
  sns: [],
  pagerduty: [
    {
      variable: 'PAGERDUTY_ROUTING_KEY',
      as: 'access',
      isValid: (value) => /^[A-Za-z0-9]{32}$/.test(value),
      expected: 'the integration key of a service: 32 letters and digits',
    },
  ],
  email: [{ variable: 'SMTP_PASSWORD', as: 'access', isValid: () => true, expected: 'a password' }],
  slack: [{ variable: 'SLACK_WEBHOOK_URL', as: 'access', isValid: isSafeWebUrl, expected: URL_EXPECTED }],
  telegram: [
    {
      variable: 'TELEGRAM_BOT_TOKEN',
      as: 'access',
      isValid: (value) => /^\d{5,20}:[A-Za-z0-9_-]{30,64}$/.test(value),
      expected: 'the token of a bot, such as 123456789:AA…',
    },
  ],
  webhook: [
    { variable: 'ALERT_WEBHOOK_URL', as: 'access', isValid: isSafeWebUrl, expected: URL_EXPECTED },
    {
      variable: 'ALERT_WEBHOOK_SECRET',
      as: 'signing',
      isValid: (value) => value.length >= 16,
      expected: 'a secret of at least 16 characters',
    },
  ],
};

/** The variables of channels. A channel of its own name adds `_NAME`. */
export const CHANNEL_VARIABLES: readonly string[] = Object.values(NEEDED).flatMap((needed) =>
  needed.map(({ variable }) => variable),
);

/** Whether a variable holds a secret of a channel. */
export function isChannelVariable(name: string): boolean {
  return CHANNEL_VARIABLES.some((variable) => name === variable || name.startsWith(`${variable}_`));
}

/** The variable that only this channel reads: it wins over the one that all of its kind share. */
export function ownVariable(variable: string, channel: string): string {
  return `${variable}_${channel.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/**
 * The secrets of each channel, by its name.
 *
 * @param valueOf the value of a variable, or of the file that its NAME_FILE names.
 * @param problems gets one sentence for each that is missing or wrong.
 */
export function channelSecretsOf(
  channels: readonly ChannelNeeds[],
  valueOf: (variable: string) => string | undefined,
  problems: string[],
): Readonly<Record<string, ChannelSecrets>> {
  return Object.fromEntries(
    channels.map((channel) => {
      const secrets: { -readonly [Part in keyof ChannelSecrets]: ChannelSecrets[Part] } = {
        access: undefined,
        signing: undefined,
      };
      for (const needed of channel.logsIn ? NEEDED[channel.kind] : [])
        secrets[needed.as] = secretOf(needed, channel, valueOf, problems);
      return [channel.name, secrets];
    }),
  );
}

function secretOf(
  { variable, isValid, expected }: Needed,
  { name, kind }: ChannelNeeds,
  valueOf: (variable: string) => string | undefined,
  problems: string[],
): Secret | undefined {
  const own = ownVariable(variable, name);
  const fromOwn = valueOf(own);
  const value = (fromOwn ?? valueOf(variable))?.trim();
  if (value === undefined)
    problems.push(
      `${variable}: the environment variable has no value, but the channel "${name}" (${kind}) needs it; set ${variable}, or ${own} for this channel alone (or the same with _FILE)`,
    );
  else if (!isValid(value))
    problems.push(
      `${fromOwn === undefined ? variable : own}: the value is not valid for the channel "${name}"; ${expected} was expected`,
    );
  else return new Secret(value);
  return undefined;
}
