import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts/alerts.module.js';
import { BotModule } from '../bot/bot.module.js';
import { DatabaseModule } from '../database/index.js';
import { SafetyModule } from '../safety/index.js';
import { TelegramAnswers } from './answers.js';
import { Orders } from './orders.js';
import { TelegramDesk } from './telegram-desk.js';

/**
 * Orders of listed people over Telegram. It must never change anything except through SafetyController's halt
 * and resume, never answer a stranger, and never show the token.
 */
@Module({
  imports: [AlertsModule, BotModule, SafetyModule, DatabaseModule],
  providers: [TelegramAnswers, Orders, TelegramDesk],
})
export class TelegramModule {}
