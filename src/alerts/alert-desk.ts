import { setTimeout as sleep } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { SafetyRepository, type NewOperatorAction } from '../database/index.js';
import type { Alert, Message } from '../domain/alert.js';
import { Clock } from '../domain/clock.js';
import { Events, type BotEvent } from '../domain/events/events.js';
import { Broadcast, type EventSubscriber } from '../monitoring/broadcast.js';
import type { Operator } from '../safety/index.js';
import { AlertBook, type ActiveAlert } from './alert-book.js';
import type { ChannelStatus } from './channel-worker.js';
import { DeliveryQueue } from './delivery-queue.js';
import { notificationOf } from './notifications.js';
import { RuleWatch } from './rule-watch.js';
import { WatchedStatus } from './watched-status.js';

const TICK_MS = 1_000;
/** So long the end of the process waits for messages on their way. */
const DRAIN_MS = 2_000;
const MINUTE_MS = 60_000;
/** More audit rows than this do not wait for the database. */
const MOST_UNSAVED = 100;

/** What the operator sees of the alerts. */
export interface AlertsStatus {
  /** How many last. */
  readonly active: number;
  readonly channels: readonly ChannelStatus[];
  /** Why an undelivered message would not survive a crash. */
  readonly storeProblem: string | undefined;
}

/**
 * Where trouble becomes messages. It hears every event, and looks at the status by a timer of its own. It
 * never waits for a channel, for the disk or for the database, and nothing of it reaches the loop.
 */
@Injectable()
export class AlertDesk implements EventSubscriber, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger(AlertDesk.name);
  private readonly watch = new RuleWatch();
  private readonly book: AlertBook;
  private timer: NodeJS.Timeout | undefined;
  private unsaved: readonly NewOperatorAction[] = [];
  private isSaving = false;
  private kept: readonly ActiveAlert[] = [];

  constructor(
    private readonly queue: DeliveryQueue,
    private readonly status: WatchedStatus,
    private readonly audit: SafetyRepository,
    private readonly clock: Clock,
    events: Events,
    { alerts }: ChimeraConfig,
  ) {
    const options = {
      escalateAfterMs: alerts.escalateAfterMinutes * MINUTE_MS,
      quietHours: alerts.quietHours,
      runbook: alerts.runbook,
    };
    this.book = new AlertBook(options, clock, events, (outgoing) => this.queue.send(outgoing));
    const left = this.queue.restore();
    this.book.restore(left);
    this.watch.adopt(
      left.map(({ alert }) => alert),
      clock.monotonicMs(),
    );
    if (events instanceof Broadcast) events.subscribe(this);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** What is on its way gets a moment. The rest is delivered by the next process. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    for (let waitedMs = 0; !this.queue.isIdle && waitedMs < DRAIN_MS; waitedMs += 50) await sleep(50);
    await this.queue.stop();
  }

  hear(event: BotEvent): void {
    this.status.hear(event);
    const found = this.watch.hear(event);
    for (const alert of found) this.book.fire(alert, true);
    if (found.length > 0) this.keep();
    const news = notificationOf(event);
    if (news) this.book.notify(news);
  }

  /** A look at the status, and what time brings. */
  tick(): void {
    void this.saveActions();
    try {
      const { firing, over } = this.watch.look(this.status.read(), this.clock.monotonicMs());
      for (const key of over) this.book.resolve(key);
      for (const alert of firing) this.book.fire(alert);
      this.book.tick();
      this.keep();
    } catch (error) {
      this.log.error(`a look at the status failed: ${String(error)}`);
    }
  }

  /** News that is no trouble. @param id of a message that is sent once, also after a restart. */
  notify(message: Pick<Message, 'key' | 'title' | 'text' | 'details'>, id?: string): void {
    if (id === undefined || !this.queue.holds(id)) this.book.notify(message, id);
  }

  /** For trouble that another part has found. */
  raise(alert: Alert): void {
    this.book.fire(alert, true);
    this.keep();
  }

  get active(): readonly ActiveAlert[] {
    return this.book.all;
  }

  get summary(): AlertsStatus {
    const { status: channels, storeProblem } = this.queue;
    return { active: this.book.all.length, channels, storeProblem };
  }

  /**
   * An operator has seen the alert. It counts at once; the row of the audit trail follows when the database
   * takes it.
   *
   * @returns undefined when there is no alert with this id.
   */
  acknowledge(id: string, reason: string, operator: Operator): ActiveAlert | undefined {
    const seen = this.book.acknowledge(id, operator.name);
    if (!seen) return undefined;
    const { name: actor, role, address: remote } = operator;
    const at = new Date(this.clock.wallMs());
    const action = { actor, role, action: 'acknowledge', reason: `${seen.alert.key}: ${reason}`, at, remote };
    this.unsaved = [...this.unsaved, action].slice(-MOST_UNSAVED);
    this.keep();
    void this.saveActions();
    return seen;
  }

  /** Resolves when everything that was told is on the disk. */
  stored(): Promise<void> {
    return this.queue.stored();
  }

  private keep(): void {
    const now = this.book.all;
    const isSame = now.length === this.kept.length && now.every((one, index) => same(one, this.kept[index]));
    if (isSame) return;
    this.kept = now;
    this.queue.keep(now);
  }

  private async saveActions(): Promise<void> {
    if (this.isSaving) return;
    this.isSaving = true;
    try {
      for (let [action] = this.unsaved; action; [action] = this.unsaved) {
        const saved = action;
        await this.audit.recordAction(saved);
        this.unsaved = this.unsaved.filter((one) => one !== saved);
      }
    } catch {
      // The next tick tries again. The database says itself that it is away.
    } finally {
      this.isSaving = false;
    }
  }
}

/** The text of a trouble changes with its numbers; that alone is not worth a write. */
function same(a: ActiveAlert, b: ActiveAlert | undefined): boolean {
  return (
    b !== undefined &&
    a.id === b.id &&
    a.toldAtMs === b.toldAtMs &&
    a.acknowledged === b.acknowledged &&
    a.repeats === b.repeats
  );
}
