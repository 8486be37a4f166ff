import { DeliveryError, unreachable } from './channel.js';

/** More of an answer is not read. */
const LONGEST_ANSWER_BYTES = 64 * 1024;
/** A longer pause than this is not obeyed: the operator waits. */
const LONGEST_PAUSE_MS = 15 * 60_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Posts JSON. A redirect is not followed, because it may lead to an address inside the operator's network.
 *
 * @returns the answer when its status is 2xx.
 * @throws DeliveryError
 */
export async function postJson(
  url: string,
  body: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      body,
      signal,
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...headers },
    });
    text = await bodyOf(response);
  } catch (error) {
    throw unreachable(error, signal);
  }
  const { status } = response;
  if (status >= 200 && status < 300) return { status, body: text };
  throw refusal(status, response.headers.get('retry-after'));
}

/** What a status says about a message. */
function refusal(status: number, retryAfter: string | null): DeliveryError {
  if (status >= 300 && status < 400)
    return new DeliveryError(`it answered with a redirect (${status}), which is not followed`);
  // The message is at fault. Everything else may become better, also a wrong token: the operator puts it
  // right.
  const isFinal = status === 400 || status === 413 || status === 422;
  return new DeliveryError(`it answered ${status}`, { isFinal, retryAfterMs: pauseOf(retryAfter) });
}

/** Retry-After: seconds, or a date. */
export function pauseOf(header: string | null, nowMs: number = Date.now()): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_PAUSE_MS);
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    chunks.push(part);
    bytes += part.byteLength;
    if (bytes > LONGEST_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}
