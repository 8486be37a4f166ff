import { setTimeout as sleep } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Update } from 'grammy/types';
import { cut } from '../alerts/message-text.js';
import { BotStatusReader } from '../bot/bot-status.js';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { Orders, type Answer } from './orders.js';
import type { Replies } from './replies.js';
import { Senders } from './senders.js';
import { orderIn } from './update.js';
import type { UpdateLoop } from './update-loop.js';

/** So long the end of the process waits for answers on their way. */
const DRAIN_MS = 2_000;
const DROPPED =
  'The bot has begun to take orders here. What was sent before was not carried out: send it again.';

/**
 * Orders over Telegram, where the configuration wants them. Only the process that has the lease of the wallet
 * listens, and a dry run. Nothing of it is waited for by the loop.
 */
@Injectable()
export class TelegramDesk implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger(TelegramDesk.name);
  private loop: UpdateLoop | undefined;
  private replies: Replies | undefined;
  private isStopped = false;

  constructor(
    private readonly orders: Orders,
    private readonly bot: BotStatusReader,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
    private readonly events: Events,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.alerts.control?.enabled)
      void this.open().catch((error: unknown) => this.log.error(`no orders over Telegram: ${String(error)}`));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await this.loop?.stop();
    await Promise.race([this.replies?.sent(), sleep(DRAIN_MS, undefined, { ref: false })]);
  }

  /** The library is loaded only here. */
  private async open(): Promise<void> {
    const { alerts, environment } = this.config;
    const { control } = alerts;
    const channel = alerts.channels.find(({ name }) => name === control?.channel);
    const token = channel && environment.channels[channel.name]?.access;
    // The configuration was refused without them.
    if (!control || channel?.kind !== 'telegram' || !token)
      throw new TypeError('orders over Telegram without a channel');
    const { TelegramClient, LONGEST_TEXT } = await import('../alerts/channels/telegram-client.js');
    const { Replies: Out } = await import('./replies.js');
    const { UpdateLoop: Loop } = await import('./update-loop.js');
    if (this.isStopped) return;
    const { clock, events } = this;
    const client = new TelegramClient(channel.apiRoot, token);
    const senders = new Senders(control, clock, events);
    const replies = new Out(client, clock, events);
    const say = (chat: string, { text, code }: Answer): void =>
      replies.send(chat, cut(text, LONGEST_TEXT), code);
    const hear = async (update: Update, bot: string): Promise<void> => {
      const order = orderIn(update, bot);
      if (!order) return;
      if (!senders.isListed(order)) {
        senders.ignore(order);
        return;
      }
      if (order.button !== undefined) replies.pressed(order.button);
      say(order.chat, await this.orders.carryOut(order));
    };
    const drop = (updates: readonly Update[], bot: string): void => {
      const orders = updates.flatMap((update) => orderIn(update, bot) ?? []);
      const chats = orders.filter((order) => senders.isListed(order)).map(({ chat }) => chat);
      for (const chat of new Set(chats)) say(chat, { text: DROPPED });
    };
    this.replies = replies;
    this.loop = new Loop({ client, clock, events, hear, drop, mayListen: () => this.mayListen });
    this.loop.start();
  }

  private get mayListen(): boolean {
    const { role } = this.bot.status().lease;
    return role === 'leader' || role === 'dry-run';
  }
}
