import type { Message } from '../../domain/alert.js';

/** One way to reach an operator. */
export interface Channel {
  /** Its name in the configuration. */
  readonly name: string;
  readonly kind: string;
  /**
   * Resolves when the other side has taken the message.
   *
   * @param signal the time is over: what still runs must end.
   * @throws DeliveryError
   */
  send(message: Message, signal: AbortSignal): Promise<void>;
}

/** Why the other side did not take a message, in words of our own: no address, no token, no foreign text. */
export class DeliveryError extends Error {
  /** Sending the same message again is of no use. */
  readonly isFinal: boolean;
  /** The other side asked to wait so long. Milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    {
      isFinal = false,
      retryAfterMs,
    }: { readonly isFinal?: boolean; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message);
    this.name = 'DeliveryError';
    this.isFinal = isFinal;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a library or the network threw, as its code: their messages hold addresses, and some hold tokens. */
export function unreachable(error: unknown, signal: AbortSignal): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (signal.aborted) return new DeliveryError('it did not answer in time');
  const code = codeOf(error);
  return new DeliveryError(code === undefined ? 'it cannot be reached' : `it cannot be reached (${code})`);
}

/** The code of an error or of one of its causes, when it looks like one: ECONNRESET, CERT_HAS_EXPIRED. */
export function codeOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 4) return undefined;
  const { code, cause, error: inner, errors } = error as Record<string, unknown>;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,50}$/.test(code)) return code;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return codeOf(cause, depth + 1) ?? codeOf(inner, depth + 1) ?? codeOf(first, depth + 1);
}
