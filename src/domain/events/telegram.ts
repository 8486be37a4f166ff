/** Orders over Telegram. No event holds the token of the bot, nor what a stranger wrote. */
export type TelegramEvent =
  | {
      /** From now on the bot takes orders there. */
      readonly event: 'telegram-listening';
      /** The name of the Telegram bot. */
      readonly bot: string;
      /** Messages that had waited, and were dropped. */
      readonly dropped: number;
    }
  | {
      /** Telegram cannot be asked for messages. It is asked again. */
      readonly event: 'telegram-lost';
      readonly reason: string;
      readonly retryInMs: number;
    }
  | {
      /** An order came from a chat or a user that is not listed. It got no answer. */
      readonly event: 'telegram-ignored';
      /** The ids, as Telegram has them. */
      readonly chat: string;
      readonly user: string;
      /** Orders of all strangers since the last such event: there is at most one a minute. */
      readonly count: number;
    }
  | {
      /** An operator gave an order over Telegram. */
      readonly event: 'telegram-order';
      readonly order: string;
      /** As the audit trail names them. */
      readonly actor: string;
      readonly chat: string;
    }
  | {
      /** The answer to an order did not arrive. The order counts all the same. */
      readonly event: 'telegram-answer-lost';
      readonly chat: string;
      readonly reason: string;
    };
