/** What a person who watches the soak reads: a line every few seconds, and one for each event. */
import type { Writable } from 'node:stream';
import type { Stack } from '../../devnet/stack/stack.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import type { Fleet } from './fleet.js';
import type { PlayedFault } from './halt-rules.js';

const LINE_MS = 5_000;

export class Progress {
  private readonly startedAtMs = Date.now();
  private timer: NodeJS.Timeout | undefined;
  private won = 0;
  private notWon = 0;
  private block = 0;

  /** @param log gets everything that any process says */
  constructor(
    private readonly print: (line: string) => void,
    private readonly log: Writable,
  ) {}

  start(stack: Stack, fleet: Fleet, faults: readonly PlayedFault[]): void {
    this.timer = setInterval(() => void this.line(stack, fleet, faults), LINE_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  hear(event: BotEvent, process: number): void {
    this.log.write(`${this.elapsed} ${process} ${JSON.stringify(event)}\n`);
    if (event.event === 'execution-settled') {
      if (event.outcome === 'won') this.won += 1;
      else this.notWon += 1;
    }
    if (event.event === 'pass') this.block = event.block;
    if (event.event === 'safety-changed')
      this.tell(`process ${process}: ${event.from} → ${event.to} by ${event.actor}: ${event.reason}`);
    if (event.event === 'pass-failed' && event.consequence === 'halt')
      this.tell(`process ${process}: ${event.message}`);
  }

  tell(what: string): void {
    this.print(`${this.elapsed} | ${what}`);
    this.log.write(`${this.elapsed} | ${what}\n`);
  }

  private async line(stack: Stack, fleet: Fleet, faults: readonly PlayedFault[]): Promise<void> {
    const state = (await fleet.status())?.safety.state ?? 'does not answer';
    const rss = Math.round((fleet.memory.at(-1)?.bytes ?? 0) / 2 ** 20);
    const now = faults.filter(({ toMs }) => toMs === undefined).map(({ name }) => name);
    const chain = await stack.devnet.provider.getBlockNumber().catch(() => 0);
    this.print(
      `${this.elapsed} ${state.padEnd(15)} block ${this.block} of ${chain}   won ${this.won}, not won ${this.notWon}   ` +
        `RSS ${rss} MB   ${now.length === 0 ? 'no fault' : now.join(' + ')}`,
    );
  }

  private get elapsed(): string {
    const seconds = Math.floor((Date.now() - this.startedAtMs) / 1_000);
    return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}
