import { randomUUID } from 'node:crypto';
import { attempt } from '../alerts/channel-worker.js';
import type { Channel } from '../alerts/channels/channel.js';
import { channelsOf } from '../alerts/channels/channels.js';
import { loadConfig, type ChimeraConfig } from '../config/index.js';
import type { Message } from '../domain/alert.js';
import { Clock } from '../domain/clock.js';
import { messageOf, StartupError } from '../domain/errors.js';
import type { Terminal } from './terminal.js';

/** What became of the message of one channel. */
export interface TestedChannel {
  readonly channel: string;
  readonly kind: string;
  readonly delivered: boolean;
  /** Why not; null when it was delivered. */
  readonly reason: string | null;
  /** Until the other side had taken it, or until it was given up. */
  readonly latencyMs: number;
}

/**
 * Sends one message through each configured channel, all at once, and says what was delivered.
 *
 * @returns 0, or 1 when one was not delivered.
 */
export async function testAlerts(
  { json = false }: { json?: boolean },
  terminal: Terminal,
  load: () => Promise<ChimeraConfig> = loadConfig,
): Promise<number> {
  const config = await load();
  const clock = new Clock();
  const channels = await channelsOf(config, clock);
  if (channels.length === 0)
    throw new StartupError([
      'alerts.channels: no channel is configured; docs/alerts.md has an example of each kind',
    ]);
  const tested = await Promise.all(channels.map((channel) => tryOut(channel, config, clock)));
  if (json) terminal.print(JSON.stringify(tested, null, 2));
  else for (const line of linesOf(tested)) terminal.print(line);
  return tested.every(({ delivered }) => delivered) ? 0 : 1;
}

async function tryOut(channel: Channel, config: ChimeraConfig, clock: Clock): Promise<TestedChannel> {
  const message = testMessage(config, clock.wallMs());
  const beganMs = clock.monotonicMs();
  let reason: string | null = null;
  try {
    await attempt(channel, message, clock);
    // Nobody shall be woken for longer than it takes to test.
    if (channel.kind === 'pagerduty') await attempt(channel, { ...message, status: 'resolved' }, clock);
  } catch (error) {
    reason = messageOf(error);
  }
  const latencyMs = Math.round(clock.monotonicMs() - beganMs);
  return { channel: channel.name, kind: channel.kind, delivered: reason === null, reason, latencyMs };
}

function testMessage({ alerts }: ChimeraConfig, atMs: number): Message {
  const id = randomUUID();
  return {
    ...{ id, topic: 'alert', status: 'firing', severity: 'LOW', key: `test-${id}`, atMs },
    title: 'A test of the alerts',
    text: 'This channel works. Nothing is wrong, and there is nothing to do.',
    runbook: alerts.runbook,
  };
}

function linesOf(tested: readonly TestedChannel[]): string[] {
  const width = Math.max(...tested.map(({ channel }) => channel.length));
  return tested.map(({ channel, kind, reason, latencyMs }) =>
    [
      channel.padEnd(width),
      kind.padEnd(9),
      `${String(latencyMs).padStart(6)} ms`,
      reason === null ? 'delivered' : `NOT delivered: ${reason}`,
    ].join('  '),
  );
}
