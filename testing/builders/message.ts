import type { Message } from '../../src/domain/alert.js';

let made = 0;

/** A message of an alert that fires. */
export function aMessage(more: Partial<Message> = {}): Message {
  made += 1;
  return {
    id: `message-${made}`,
    topic: 'alert',
    status: 'firing',
    severity: 'HIGH',
    key: 'throttled',
    title: 'The bot is THROTTLED',
    text: 'Fewer liquidations are executed, one at a time: 1 of 2 failed',
    details: [],
    runbook: 'https://wiki.example.com/chimera#throttled',
    atMs: Date.UTC(2026, 0, 1),
    ...more,
  };
}
