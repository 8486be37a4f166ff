import { rankOf, type Message } from '../domain/alert.js';
import type { ActiveAlert } from './alert-book.js';

/** What outlives this process. */
export type StoredRecord =
  | {
      readonly kind: 'delivery';
      /** The name of the channel. */
      readonly channel: string;
      readonly message: Message;
      /** Milliseconds since the epoch. */
      readonly notBeforeMs: number;
    }
  | { readonly kind: 'book'; readonly active: readonly ActiveAlert[] };

/** @throws TypeError for anything else. */
export function parseRecord(value: unknown): StoredRecord {
  if (isObject(value)) {
    const { kind, channel, message, notBeforeMs, active } = value;
    if (kind === 'book' && Array.isArray(active) && active.every(isActive)) return { kind, active };
    if (
      kind === 'delivery' &&
      typeof channel === 'string' &&
      isMessage(message) &&
      typeof notBeforeMs === 'number'
    )
      return { kind, channel, message, notBeforeMs };
  }
  throw new TypeError('neither a message nor a list of alerts');
}

function isMessage(value: unknown): value is Message {
  return (
    isObject(value) && texts(value, ['id', 'key', 'title', 'text', 'topic', 'status']) && hasSeverity(value)
  );
}

function isActive(value: unknown): value is ActiveAlert {
  if (!isObject(value)) return false;
  const { alert, sinceMs, repeats } = value;
  const isAlert = isObject(alert) && texts(alert, ['key', 'rule', 'title', 'text']) && hasSeverity(alert);
  return isAlert && texts(value, ['id']) && typeof sinceMs === 'number' && typeof repeats === 'number';
}

function hasSeverity({ severity }: Readonly<Record<string, unknown>>): boolean {
  return typeof severity === 'string' && rankOf(severity as Message['severity']) >= 0;
}

function texts(value: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  return keys.every((key) => typeof value[key] === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
