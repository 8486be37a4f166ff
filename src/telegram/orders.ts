import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { sourceOf } from '../alerts/channels/channels.js';
import { BotStatusReader } from '../bot/bot-status.js';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { reasonProblem } from '../domain/reason.js';
import type { SafetyStatus } from '../domain/safety.js';
import { SafetyController, seenIn, StateConflict, type Operator } from '../safety/index.js';
import { TelegramAnswers } from './answers.js';
import { Confirmations, CONFIRM_WITHIN_MS } from './confirmations.js';
import type { Order } from './update.js';

/** What is answered to an order. */
export interface Answer {
  readonly text: string;
  /** The order waits for this code. */
  readonly code?: string;
}

interface Resume {
  readonly reason: string;
  /** What the person saw when they asked. */
  readonly seen: string;
}

const HELP = `/status how the bot fares
/profit what it brought
/near positions near the edge
/limits what may be spent, and what is used
/halt REASON nothing is signed from now on
/resume REASON it signs again, after a confirmation`;

/**
 * Carries out what a listed person writes. A halt acts at once: it is safe. A resume waits for a second word
 * of the same person in the same chat, and counts only for the state that they were shown.
 */
@Injectable()
export class Orders {
  private readonly log = new Logger(Orders.name);
  private readonly waiting: Confirmations<Resume>;

  constructor(
    private readonly answers: TelegramAnswers,
    private readonly bot: BotStatusReader,
    private readonly safety: SafetyController,
    private readonly config: ChimeraConfig,
    clock: Clock,
    private readonly events: Events,
  ) {
    this.waiting = new Confirmations(clock);
  }

  /** Never throws. */
  async carryOut(order: Order): Promise<Answer> {
    const { name, chat, user } = order;
    this.events.emit({ event: 'telegram-order', order: name, actor: actorOf(user), chat });
    try {
      return await this.act(order);
    } catch (error) {
      if (error instanceof StateConflict) return { text: error.message };
      // What an error says may hold an address.
      const id = randomUUID();
      this.log.error(`the order /${name} failed (${id}): ${String(error)}`);
      return { text: `This cannot be done at the moment (logged as ${id}). Try again shortly.` };
    }
  }

  private async act(order: Order): Promise<Answer> {
    switch (order.name) {
      case 'status':
        return { text: this.answers.status() };
      case 'profit':
        return { text: await this.answers.profit() };
      case 'near':
        return { text: await this.answers.near() };
      case 'limits':
        return { text: this.answers.limits() };
      case 'halt':
        return this.halt(order);
      case 'resume':
        return this.askToResume(order);
      case 'confirm':
        return this.confirm(order);
      default:
        return { text: HELP };
    }
  }

  private async halt(order: Order): Promise<Answer> {
    const problem = reasonProblem(order.words);
    if (problem !== undefined) return { text: `Nothing was done: ${problem}. For example: /halt odd prices` };
    const status = await this.safety.halt(order.words, operatorOf(order));
    return { text: this.told(status) };
  }

  private askToResume(order: Order): Answer {
    const problem = reasonProblem(order.words);
    if (problem !== undefined)
      return { text: `Nothing was done: ${problem}. For example: /resume prices are right` };
    const status = this.safety.status();
    if (status.state === 'NORMAL') return { text: `Nothing was done: ${this.told(status)}` };
    const code = this.waiting.ask(order, { reason: order.words, seen: seenIn(status) });
    const seconds = CONFIRM_WITHIN_MS / 1_000;
    return {
      text: `${this.told(status)}\nResume it? Press the button or send /confirm ${code} within ${seconds} s. Only you can, and only in this chat.`,
      code,
    };
  }

  private async confirm(order: Order): Promise<Answer> {
    const found = this.waiting.take(order.words, order);
    if (found.kind === 'not-yours')
      return { text: 'Nothing was done: only the person who asked may confirm it.' };
    if (found.kind === 'expired')
      return { text: 'Nothing was done: the code is too old. Send /resume again.' };
    if (found.kind === 'unknown') return { text: 'Nothing was done: no order waits for this code.' };
    const { reason, seen } = found.order;
    // It takes a while. The state must be the one that was shown when the resume begins.
    const inFlight = await this.bot.prospect();
    const before = this.safety.status();
    if (seenIn(before) !== seen)
      return {
        text: `Nothing was done: the state has changed. Look at it, and send /resume again.\n${this.told(before)}`,
      };
    const status = await this.safety.resume(reason, operatorOf(order));
    const left = inFlight
      ? `\nOf the transactions in flight ${inFlight.sentAgain} are sent again, ${inFlight.cancelled} are cancelled.`
      : '';
    return { text: `${this.told(status)}${left}` };
  }

  private told(status: SafetyStatus): string {
    return [sourceOf(this.config), ...this.answers.stateLines(status)].join('\n');
  }
}

/** As the audit trail and the state name a person of Telegram. */
const actorOf = (user: string): string => `telegram:${user}`;

function operatorOf({ user, chat }: Order): Operator {
  return { name: actorOf(user), role: 'operator', address: `telegram:${chat}` };
}
