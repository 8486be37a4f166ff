import { randomInt } from 'node:crypto';
import type { Clock } from '../domain/clock.js';

/** An order that is not confirmed within this time is forgotten. */
export const CONFIRM_WITHIN_MS = 60_000;
/** After so many wrong codes the order is forgotten: a code has six digits. */
const MOST_GUESSES = 5;

/** Who gave an order, and where. */
export interface Sender {
  readonly chat: string;
  readonly user: string;
}

interface Asked<Order> extends Sender {
  readonly code: string;
  readonly order: Order;
  readonly untilMs: number;
  guesses: number;
}

export type Confirmed<Order> =
  | { readonly kind: 'confirmed'; readonly order: Order }
  /** Its time is over. */
  | { readonly kind: 'expired' }
  /** It is for the person who asked, in the chat in which they asked. */
  | { readonly kind: 'not-yours' }
  | { readonly kind: 'unknown' };

/** Orders that wait for a second word of the same person in the same chat: one for each. */
export class Confirmations<Order> {
  private readonly asked = new Map<string, Asked<Order>>();

  constructor(private readonly clock: Clock) {}

  /** A later order of the same person takes the place of an earlier one. @returns the code */
  ask({ chat, user }: Sender, order: Order): string {
    const taken = new Set([...this.asked.values()].map(({ code }) => code));
    let code: string;
    do code = String(randomInt(1_000_000)).padStart(6, '0');
    while (taken.has(code));
    const untilMs = this.clock.monotonicMs() + CONFIRM_WITHIN_MS;
    this.asked.set(`${chat} ${user}`, { chat, user, code, order, untilMs, guesses: 0 });
    return code;
  }

  /** A code counts once. */
  take(code: string, { chat, user }: Sender): Confirmed<Order> {
    const key = `${chat} ${user}`;
    const found = [...this.asked].find(([, one]) => one.code === code);
    if (!found) {
      const own = this.asked.get(key);
      if (own && ++own.guesses >= MOST_GUESSES) this.asked.delete(key);
      return { kind: 'unknown' };
    }
    const [place, { order, untilMs }] = found;
    if (place !== key) return { kind: 'not-yours' };
    this.asked.delete(key);
    return this.clock.monotonicMs() < untilMs ? { kind: 'confirmed', order } : { kind: 'expired' };
  }
}
