/** Resumes as an operator does: reads why the bot halted, waits until the cause is gone, and says so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { haltsOf } from '../e2e/invariants.js';
import type { Stack } from '../../devnet/stack/stack.js';
import type { Fleet } from './fleet.js';
import { explanationOf, type PlayedFault } from './halt-rules.js';

const LOOK_MS = 1_000;
/** After the fault that caused it is over. */
const PATIENCE_MS = 4_000;
/** A halt by chain or nodes ends by itself. An operator comes only when it does not. */
const LONG_PATIENCE_MS = 40_000;

export class Operator {
  resumes = 0;
  private stopped = false;
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly stack: Stack,
    private readonly fleet: Fleet,
    private readonly faults: readonly PlayedFault[],
    private readonly tell: (line: string) => void,
  ) {}

  start(): void {
    this.working = this.work();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      await sleep(LOOK_MS);
      // While the database or the API is away there is nothing to read, and nobody to ask.
      await this.look().catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    const halt = (await haltsOf(this.stack)).at(-1);
    if (halt?.toMs !== Infinity) return;
    const explained = explanationOf(halt, this.faults);
    const { fault } = explained ?? {};
    const patienceMs = halt.cause === 'chain' || halt.cause === 'rpc' ? LONG_PATIENCE_MS : PATIENCE_MS;
    if (fault && (fault.toMs ?? Infinity) + patienceMs > Date.now()) return;
    if (!fault && halt.fromMs + patienceMs > Date.now()) return;
    const why = fault ? `${fault.name} is over (${explained?.rule ?? ''})` : `looked at: ${halt.reason}`;
    const { bot } = this.fleet;
    const answer = await this.stack.api('/api/v1/safety/resume', { bot, body: { reason: `soak: ${why}` } });
    if (answer.status !== 200) return;
    this.resumes += 1;
    this.tell(`resumed by the operator: ${why}`);
  }
}
