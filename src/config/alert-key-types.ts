import { SEVERITIES, type Severity } from '../domain/alert.js';
import { Text, type TextKey } from './keys.js';
import { isSafeWebUrl } from './web-url.js';

type Common = Pick<TextKey, 'key' | 'default' | 'optional' | 'variable'> & { readonly example: string };

/** Severities, as a list or with commas between them. */
export function Severities(options: Common): PropertyDecorator {
  return Text({
    ...options,
    list: true,
    expected: `some of ${SEVERITIES.join(', ')}`,
    read: (text) => {
      const words = partsOf(text);
      const known = SEVERITIES.filter((severity) => words.includes(severity));
      return known.length > 0 && known.length === new Set(words).size
        ? (known satisfies Severity[])
        : undefined;
    },
  });
}

/** One `@`, a host with a dot, and nothing that ends a header or begins another address. */
const MAIL_ADDRESS = /^[^\s@<>,;:"()[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;

/** Mail addresses, as a list or with commas between them. */
export function MailAddresses({ most, ...options }: Common & { readonly most: number }): PropertyDecorator {
  return Text({
    ...options,
    list: true,
    expected: most === 1 ? 'a mail address' : `1 to ${most} mail addresses`,
    read: (text) => {
      const addresses = partsOf(text);
      const valid =
        addresses.length >= 1 && addresses.length <= most && addresses.every((one) => MAIL_ADDRESS.test(one));
      return valid ? addresses : undefined;
    },
  });
}

/** Ids of Telegram, as a list or with commas between them. Only chats have negative ones: groups. */
export function TelegramIds({
  of,
  ...options
}: Common & { readonly of: 'chats' | 'users' }): PropertyDecorator {
  const form = of === 'chats' ? /^-?[1-9]\d{0,19}$/ : /^[1-9]\d{0,19}$/;
  return Text({
    ...options,
    list: true,
    expected: `ids of ${of} (numbers)`,
    read: (text) => {
      const ids = partsOf(text);
      return ids.length > 0 && ids.every((id) => form.test(id)) ? ids : undefined;
    },
  });
}

/** `22:00`, kept as minutes since midnight. */
export function HourAndMinute(options: Common): PropertyDecorator {
  return Text({
    ...options,
    expected: 'a time of day in quotes',
    read: (text) => {
      const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
      return hour === undefined || minute === undefined ? undefined : Number(hour) * 60 + Number(minute);
    },
  });
}

/** A name of the IANA table. */
export function TimeZone(options: Common): PropertyDecorator {
  return Text({
    ...options,
    expected: 'the name of a time zone',
    read: (text) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: text });
        return text;
      } catch {
        return undefined;
      }
    },
  });
}

/** An address that messages may be sent to, without a slash at its end. */
export function WebUrl(options: Common): PropertyDecorator {
  return Text({
    ...options,
    expected: 'an https:// URL (http:// only to this machine)',
    read: (text) => (isSafeWebUrl(text) ? text.replace(/\/+$/, '') : undefined),
  });
}

function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
