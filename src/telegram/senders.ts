import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';
import type { Sender } from './confirmations.js';

/** A stranger can write as often as he likes: the log gets one line in this time. */
const TOLD_EVERY_MS = 60_000;

/** Who may give orders: a listed user in a listed chat. */
export class Senders {
  private readonly chats: ReadonlySet<string>;
  private readonly users: ReadonlySet<string>;
  private untold = 0;
  private toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    { chats, users }: { readonly chats: readonly string[]; readonly users: readonly string[] },
    private readonly clock: Clock,
    private readonly events: Events,
  ) {
    [this.chats, this.users] = [new Set(chats), new Set(users)];
  }

  isListed({ chat, user }: Sender): boolean {
    return this.chats.has(chat) && this.users.has(user);
  }

  /** An order of a stranger: it gets no answer. */
  ignore({ chat, user }: Sender): void {
    this.untold += 1;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.toldAtMs < TOLD_EVERY_MS) return;
    this.events.emit({ event: 'telegram-ignored', chat, user, count: this.untold });
    [this.untold, this.toldAtMs] = [0, nowMs];
  }
}
