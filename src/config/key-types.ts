import { getAddress } from 'ethers';
import { isAddress, isHash, toAddress, type Address } from '../domain/hex.js';
import { Secret } from '../domain/secret.js';
import { parseDecimal } from './decimal.js';
import { Text, type TextKey } from './keys.js';

/** The options that all kinds of text share. */
type Common = Pick<TextKey, 'key' | 'default' | 'optional' | 'variable'>;

/** No USD or native amount of a configuration reaches it, in whole units. More is a typing mistake. */
const LARGEST_AMOUNT = 10n ** 12n;

/** The bounds of a time in whole seconds: up to a year. */
export const SECONDS = { min: 1, max: 31_536_000 } as const;

export function Integer(
  options: Common & { readonly min: number; readonly max: number; readonly example: number },
): PropertyDecorator {
  const { min, max, example, ...common } = options;
  return Text({
    ...common,
    expected: `an integer from ${min} to ${max}`,
    form: { type: 'integer', minimum: min, maximum: max },
    example: String(example),
    read: (text) => {
      if (!/^-?\d{1,15}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  });
}

/** Basis points: 1/100 of a percent, 0 to 10000. */
export function Bps(options: Common & { readonly example: number }): PropertyDecorator {
  return Integer({ ...options, min: 0, max: 10_000 });
}

/** A decimal number kept exactly, as a bigint of 10^-decimals. */
export function Decimal(
  options: Common & {
    readonly decimals: number;
    readonly min?: string;
    readonly max?: string;
    readonly example: string;
  },
): PropertyDecorator {
  const { decimals, min = '0', max, example, ...common } = options;
  const lowest = parseDecimal(min, decimals) ?? 0n;
  const highest =
    (max === undefined ? undefined : parseDecimal(max, decimals)) ?? LARGEST_AMOUNT * 10n ** BigInt(decimals);
  return Text({
    ...common,
    expected: `a number ${max === undefined ? `>= ${min}` : `from ${min} to ${max}`} (at most ${decimals} decimals)`,
    form: { type: 'number', minimum: Number(min), ...(max === undefined ? {} : { maximum: Number(max) }) },
    example,
    read: (text) => {
      const value = parseDecimal(text, decimals);
      return value !== undefined && value >= lowest && value <= highest ? value : undefined;
    },
  });
}

/** USD with 8 decimals. */
export function Usd(options: Common & { readonly example: string }): PropertyDecorator {
  return Decimal({ ...options, decimals: 8 });
}

/** One of a few words. The example in messages is the default, or the first word. */
export function Choice(options: Common & { readonly of: readonly [string, ...string[]] }): PropertyDecorator {
  const { of: choices, ...common } = options;
  return Text({
    ...common,
    expected: choices.length === 1 ? choices[0] : `one of ${choices.join(', ')}`,
    form: { enum: choices },
    example: typeof common.default === 'string' ? common.default : choices[0],
    read: (text) => choices.find((choice) => choice === text),
  });
}

export function Flag(options: Common = {}): PropertyDecorator {
  return Text({
    ...options,
    expected: 'true or false',
    form: { type: 'boolean' },
    example: 'false',
    read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  });
}

/** A short name that is safe in rows, metrics and logs. */
export function Name(options: Common & { readonly example: string }): PropertyDecorator {
  return Text({
    ...options,
    expected: 'a name of at most 40 letters, digits, ".", "_" or "-"',
    read: (text) => (/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(text) ? text : undefined),
  });
}

const HOST = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?$|^[0-9a-f:.]{2,45}$/i;

export function Host(options: Common & { readonly example: string }): PropertyDecorator {
  return Text({
    ...options,
    expected: 'a host name or an IP address',
    read: (text) => (HOST.test(text) ? text : undefined),
  });
}

/** Host names with commas between them, in lower case. An empty text is an empty list. */
export function HostNames(options: Common & { readonly example: string }): PropertyDecorator {
  return Text({
    ...options,
    expected: 'a text of host names with commas between them',
    read: (text) => {
      const names = text.split(',').map((name) => name.trim().toLowerCase());
      if (text.trim() === '') return [];
      return names.every((name) => HOST.test(name)) ? names : undefined;
    },
  });
}

export function Path({
  of = 'a directory',
  ...options
}: Common & { readonly of?: string; readonly example: string }): PropertyDecorator {
  return Text({
    ...options,
    expected: `the path of ${of}`,
    read: (text) => (text.length > 0 && !text.includes('\0') ? text : undefined),
  });
}

const ADDRESS_FORM = '0x and 40 hex digits; in mixed case the checksum must be right';
const ZERO_ADDRESS = /^0x0{40}$/;

/**
 * A contract's address, kept in lower case. In mixed case it must have the right EIP-55 checksum. The zero
 * address is accepted only with `zero`.
 */
export function ContractAddress({
  zero = false,
  ...common
}: Common & { readonly zero?: boolean } = {}): PropertyDecorator {
  return Text({
    ...common,
    expected: `a contract address (${ADDRESS_FORM}${zero ? '' : '; not zero'})`,
    form: { type: ['string', 'number'], pattern: '^0x[0-9a-fA-F]{40}$' },
    example: '0x2626664c2603336E57B271c5C0b26F421741e481',
    read: (text) => (zero && ZERO_ADDRESS.test(text) ? toAddress(text) : readAddress(text)),
  });
}

/** Contract addresses, each as {@link ContractAddress} takes them. */
export function ContractAddresses(options: Common = {}): PropertyDecorator {
  return Text({
    ...options,
    list: true,
    expected: `a list of contract addresses (each ${ADDRESS_FORM}; not zero)`,
    example: '[0x4200000000000000000000000000000000000006]',
    read: (text) => {
      const addresses = text === '' ? [] : text.split(',').map((one) => readAddress(one.trim()));
      return addresses.includes(undefined) ? undefined : addresses;
    },
  });
}

/** Hashes of 32 bytes, in lower case. */
export function Hashes(options: Common = {}): PropertyDecorator {
  return Text({
    ...options,
    list: true,
    expected: 'a list of hashes (each 0x and 64 hex digits)',
    example: '[0x8793cf302b8ffd655ab97bd1c695dbd967807e8367a65cb2f4edaf1380ba1bda]',
    read: (text) => {
      const hashes = text === '' ? [] : text.split(',').map((one) => one.trim().toLowerCase());
      return hashes.every(isHash) ? hashes : undefined;
    },
  });
}

/** The address in lower case. undefined for the zero address, for a wrong checksum, and for other text. */
export function readAddress(text: string): Address | undefined {
  if (!isAddress(text) || ZERO_ADDRESS.test(text)) return undefined;
  try {
    return toAddress(getAddress(text));
  } catch {
    return undefined;
  }
}

/** A node's URL. It may hold an access key, so it is a {@link Secret} and no message shows it. */
export function NodeUrl(options: Common & { readonly transport: 'http' | 'ws' }): PropertyDecorator {
  const { transport, ...common } = options;
  return Text({
    ...common,
    secret: true,
    expected: `a URL that begins with ${transport}:// or ${transport}s://`,
    example: `${transport}s://node.example.com`,
    read: (text) => (isUrlOf(transport, text) ? new Secret(text) : undefined),
  });
}

function isUrlOf(transport: string, text: string): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === `${transport}:` || protocol === `${transport}s:`) && hostname.length > 0;
}

/** The value of an HTTP header. It may be a key, so it is a {@link Secret} and no message shows it. */
export function HeaderValue(options: Common = {}): PropertyDecorator {
  return Text({
    ...options,
    secret: true,
    expected: 'one line of visible characters',
    read: (text) => (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) ? new Secret(text) : undefined),
  });
}

/** SHA-256 in hex, kept in lower case. */
export function Sha256(options: Common = {}): PropertyDecorator {
  return Text({
    ...options,
    secret: true,
    form: { type: 'string', pattern: '^[0-9a-fA-F]{64}$' },
    expected: 'the SHA-256 of the key (64 hex digits)',
    example: 'the output of: printf %s "$KEY" | sha256sum',
    read: (text) => (/^[0-9a-fA-F]{64}$/.test(text) ? text.toLowerCase() : undefined),
  });
}

/** Texts of one form. */
export function PatternText(
  options: Common & { readonly pattern: RegExp; readonly expected: string; readonly example: string },
): PropertyDecorator {
  const { pattern, ...common } = options;
  const form = { type: 'string', pattern: pattern.source };
  return Text({ ...common, form, read: (text) => (pattern.test(text) ? text : undefined) });
}
