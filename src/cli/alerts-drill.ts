import { randomUUID } from 'node:crypto';
import { attempt } from '../alerts/channel-worker.js';
import { DeliveryError, type Channel } from '../alerts/channels/channel.js';
import { channelsOf } from '../alerts/channels/channels.js';
import { drillAlerts } from '../alerts/drill.js';
import { loadConfig, type ChimeraConfig } from '../config/index.js';
import { DrillsRepository, openToRead, pendingMigrations, type DrilledAlert } from '../database/index.js';
import type { Alert, Message, Severity } from '../domain/alert.js';
import { Clock } from '../domain/clock.js';
import { messageOf, StartupError } from '../domain/errors.js';
import { RemarkedEvents } from './positions-parts.js';
import type { Terminal } from './terminal.js';

/** A channel that failed so often in a row is not asked any more. */
const MOST_FAILURES = 3;
/** A channel may ask to wait, so many times for one message, and so long each time. */
const MOST_WAITS = 5;
const LONGEST_WAIT_MS = 120_000;

interface Fired extends DrilledAlert {
  readonly severity: Severity;
}

/**
 * Fires each alert once through each configured channel, marked as a drill, and keeps in the database what
 * came of it. The channels are asked side by side, each with one message after the other.
 *
 * @returns 0, or 1 when a channel did not accept one.
 */
export async function drill(
  { json = false }: { json?: boolean },
  terminal: Terminal,
  load: () => Promise<ChimeraConfig> = loadConfig,
  clock: Clock = new Clock(),
): Promise<number> {
  const config = await load();
  const channels = await channelsOf(config, clock);
  if (channels.length === 0)
    throw new StartupError([
      'alerts.channels: no channel is configured; docs/alerts.md has an example of each kind',
    ]);
  const { database, close } = await openToRead(config, new RemarkedEvents(terminal), clock);
  const id = randomUUID();
  const alerts = drillAlerts(id);
  let fired: readonly Fired[];
  try {
    if ((await pendingMigrations(database)).length > 0)
      throw new StartupError(['the tables are not up to date: run npx chimera migrate first']);
    terminal.remark(`drill ${id}: ${alerts.length} alerts go through ${channels.length} channels`);
    const rows = new DrillsRepository(database, config.network.chainId);
    const ofEach = channels.map((channel) => fireAll(channel, alerts, config, rows, { id, clock }));
    fired = (await Promise.all(ofEach)).flat();
  } finally {
    await close();
  }
  const accepted = fired.filter(({ refusal }) => refusal === null).length;
  if (json) terminal.print(JSON.stringify({ drill: id, accepted, of: fired.length, alerts: fired }, null, 2));
  else {
    for (const line of linesOf(alerts, fired)) terminal.print(line);
    terminal.print(`${accepted} of ${fired.length} messages were accepted`);
  }
  return accepted === fired.length ? 0 : 1;
}

async function fireAll(
  channel: Channel,
  alerts: readonly Alert[],
  config: ChimeraConfig,
  rows: DrillsRepository,
  { id, clock }: { readonly id: string; readonly clock: Clock },
): Promise<Fired[]> {
  const { name, kind } = channel;
  const fired: Fired[] = [];
  let failures = 0;
  for (const alert of alerts) {
    const refusal =
      failures >= MOST_FAILURES
        ? `it was not asked, because it failed ${MOST_FAILURES} times in a row`
        : await refusalOf(channel, messageFor(alert, config, clock.wallMs()), clock);
    failures = refusal === null ? 0 : failures + 1;
    const { rule, severity } = alert;
    const result = { rule, severity, channel: name, kind, refusal };
    await rows.record(id, result);
    fired.push(result);
  }
  return fired;
}

/** Why the other side did not take it; null when it did. A pause that it asks for is kept. */
async function refusalOf(channel: Channel, message: Message, clock: Clock): Promise<string | null> {
  for (let waits = 0; ; waits++)
    try {
      await attempt(channel, message, clock);
      // An incident would stay open.
      if (channel.kind === 'pagerduty') await attempt(channel, { ...message, status: 'resolved' }, clock);
      return null;
    } catch (error) {
      const pauseMs = error instanceof DeliveryError ? error.retryAfterMs : undefined;
      if (pauseMs === undefined || pauseMs > LONGEST_WAIT_MS || waits >= MOST_WAITS) return messageOf(error);
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
}

function messageFor(
  { key, rule, severity, title, text }: Alert,
  { alerts }: ChimeraConfig,
  atMs: number,
): Message {
  const runbook = `${alerts.runbook}#${rule}`;
  const news = { topic: 'alert', status: 'firing', severity, key, title, text } as const;
  return { ...news, id: randomUUID(), runbook, atMs };
}

/** A line for each alert: which channels took it, and why one did not. */
function linesOf(alerts: readonly Alert[], fired: readonly Fired[]): string[] {
  const width = Math.max(...alerts.map(({ rule }) => rule.length));
  return alerts.map(({ rule, severity }) => {
    const of = fired.filter((one) => one.rule === rule);
    const taken = of.flatMap(({ channel, refusal }) => (refusal === null ? [channel] : []));
    const refused = of.flatMap(({ channel, refusal }) =>
      refusal === null ? [] : [`NOT accepted by ${channel}: ${refusal}`],
    );
    const parts = [...(taken.length > 0 ? [`accepted by ${taken.join(', ')}`] : []), ...refused];
    return `${rule.padEnd(width)}  ${severity.padEnd(8)}  ${parts.join('; ')}`;
  });
}
