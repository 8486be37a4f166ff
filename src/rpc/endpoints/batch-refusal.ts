import type { RpcError } from '../rpc-errors.js';
import { wordsOf } from './classify-answer.js';
import type { HttpReply } from './http-transport.js';
import { suggestedCalls } from './suggested-size.js';

/**
 * An endpoint did not take several calls as one request. Never leaves the endpoint: the same calls are asked
 * again in smaller batches, or one by one.
 */
export class BatchRefused extends Error {
  constructor(
    /** What is reported when the size was not the reason. */
    readonly fault: RpcError,
    /** The endpoint says that it is the batch. Otherwise a single call shows whether it is. */
    readonly certain: boolean,
    /** The largest batch that it says it would take. */
    readonly suggested?: number,
  ) {
    super('the batch was refused');
  }
}

/** "batch too large", "Batch requests are not supported", "payload too large", "response too large" … */
const BATCH_WORDS =
  /\bbatch|too many (requests|calls|methods) in|(request|response|body|payload|entity|content).{0,20} too (large|big|long)|array (of requests|request)/i;
/** The status of a body that is too long, whatever its text. */
const TOO_LONG = new Set([413, 414, 431]);
/**
 * Under which a gateway refuses a batch that it does not take, with any text. 429 may also be a rate limit,
 * 500 a fault, 400 a mistake of ours: a single call tells.
 */
const MAY_BE_THE_BATCH = new Set([400, 405, 406, 415, 422, 429, 500, 501]);

/** Whether a reply refuses the batch as such; undefined for an answer, or a failure of another kind. */
export function batchRefusal(
  { status, text, json, pauseMs }: HttpReply,
  count: number,
): Pick<BatchRefused, 'certain' | 'suggested'> | undefined {
  if (TOO_LONG.has(status)) return { certain: true };
  const errors = (Array.isArray(json) ? json : [json]).flatMap(errorIn);
  const words = errors.map((error) => wordsOf(error)).find((said) => BATCH_WORDS.test(said));
  if (words !== undefined) {
    const suggested = suggestedCalls(words);
    return { certain: true, ...(suggested !== undefined && { suggested }) };
  }
  if (status === 429 && pauseMs !== undefined) return undefined;
  if (json === undefined && MAY_BE_THE_BATCH.has(status) && BATCH_WORDS.test(text.slice(0, 1_000)))
    return { certain: true };
  if (Array.isArray(json)) {
    const refusedAll = errors.length > 0 && errors.length === json.length && json.every(hasNoId);
    return json.length < count || refusedAll ? { certain: false } : undefined;
  }
  const isObject = typeof json === 'object' && json !== null;
  return isObject || MAY_BE_THE_BATCH.has(status) ? { certain: false } : undefined;
}

function errorIn(item: unknown): { message: string; data: unknown }[] {
  if (typeof item !== 'object' || item === null || !('error' in item)) return [];
  const { error } = item;
  if (typeof error === 'string') return [{ message: error, data: undefined }];
  if (typeof error !== 'object' || error === null) return [];
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  if (/revert/i.test(message)) return []; // the words of a contract
  return [{ message, data: 'data' in error ? error.data : undefined }];
}

function hasNoId(item: unknown): boolean {
  return typeof item === 'object' && item !== null && (!('id' in item) || item.id === null);
}
