import type { AlertEvent } from './alerts.js';
import type { ApiEvent } from './api.js';
import type { DatabaseEvent } from './database.js';
import type { ExecutionEvent } from './execution.js';
import type { LoopEvent } from './loop.js';
import type { RpcEvent } from './rpc.js';
import type { SafetyEvent } from './safety.js';
import type { SecretsEvent } from './secrets.js';
import type { StateEvent } from './state.js';
import type { TelegramEvent } from './telegram.js';

/**
 * Everything the bot says about what it does. Amounts are decimal text of the smallest unit, USD is decimal
 * text with 8 decimals (`…Usd8`), health factors are wad text: nothing is rounded on its way to a reader. No
 * event holds a secret or the address of an endpoint.
 */
export type BotEvent =
  | AlertEvent
  | ApiEvent
  | DatabaseEvent
  | ExecutionEvent
  | LoopEvent
  | RpcEvent
  | SafetyEvent
  | SecretsEvent
  | StateEvent
  | TelegramEvent;

/** The events of one name. */
export type EventNamed<Name extends BotEvent['event']> = Extract<BotEvent, { readonly event: Name }>;

/** Where every part of the bot says what it does. No decision is made by an event. */
export abstract class Events {
  /** Never throws. */
  abstract emit(event: BotEvent): void;
}
