/** The processes of the bot: started, ended, started again, and watched. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import type { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import type { BotEvent } from '../../src/domain/events/events.js';

/** Resident memory of a process. */
export interface MemorySample {
  readonly pid: number;
  readonly atMs: number;
  readonly bytes: number;
}

/** Words of a process that dies of a bug, or of a rejection that nothing handles. */
const DEADLY = /unhandled|uncaught|UnhandledPromise|FATAL ERROR|heap out of memory/i;
/** A start that meets a fault is repeated, as a service manager does. */
const START_AGAIN_MS = 1_000;
const SAMPLE_MS = 1_000;
const READY = ['bot-started', 'backfill-finished', 'api-listening'] as const;

export class Fleet {
  /** What no process may do. */
  readonly problems: string[] = [];
  readonly memory: MemorySample[] = [];
  /** How often a process was started, and how many starts ended at once because of a fault. */
  readonly did = { started: 0, startsRefused: 0 };
  private main: BotProcess | undefined;
  private readonly ending = new Set<BotProcess>();
  private readonly sampling: NodeJS.Timeout;

  constructor(
    private readonly stack: Stack,
    private readonly settings: BotSettings,
    /** Told everything that any process says. */
    private readonly hear: (event: BotEvent, process: number) => void,
    private readonly tell: (what: string) => void,
  ) {
    this.sampling = setInterval(() => this.sample(), SAMPLE_MS);
  }

  get bot(): BotProcess {
    if (!this.main) throw new Error('no process runs');
    return this.main;
  }

  async start(): Promise<void> {
    this.main = await this.startOne();
  }

  /** Ends the process in order, as at an update, and starts another one. */
  async terminate(): Promise<void> {
    await this.replace(async (bot) => {
      const { code, signal } = await bot.stop();
      if (code !== 0)
        this.problems.push(`SIGTERM ended a process with ${String(code ?? signal)}:\n${bot.tail}`);
    });
  }

  /** As a crash. */
  async kill(): Promise<void> {
    await this.replace((bot) => bot.kill());
  }

  /** One more process with the same key. @returns how to end it */
  async startSecond(): Promise<() => Promise<void>> {
    const second = await this.startOne();
    return async () => {
      this.ending.add(second);
      await second.stop();
    };
  }

  async stop(): Promise<void> {
    clearInterval(this.sampling);
    if (this.main) this.ending.add(this.main);
    await this.main?.stop();
  }

  /** Undefined while its API does not answer. */
  async status(): Promise<StatusAnswer | undefined> {
    const { main } = this;
    if (!main) return undefined;
    const answer = await this.stack.api('/api/v1/status', { bot: main }).catch(() => undefined);
    return answer?.status === 200 ? (answer.body as StatusAnswer) : undefined;
  }

  /** A HALTED bot is HALTED after it. */
  private async replace(end: (bot: BotProcess) => Promise<void>): Promise<void> {
    const { bot } = this;
    this.ending.add(bot);
    await end(bot);
    const [before] = await this.stack.query<{ state: string }>(
      'SELECT state FROM safety_state WHERE chain_id <> 0',
    );
    this.main = await this.startOne();
    const after = await this.status();
    const [now] = await this.stack.query<{ state: string }>(
      'SELECT state FROM safety_state WHERE chain_id <> 0',
    );
    if (before?.state === 'HALTED' && now?.state === 'HALTED' && after && after.safety.state !== 'HALTED')
      this.problems.push(`HALTED did not survive a restart: ${after.safety.state} (${after.safety.reason})`);
  }

  private async startOne(): Promise<BotProcess> {
    for (;;) {
      const bot = await this.launch();
      const ready = Promise.all(READY.map((event) => bot.waitFor(event, () => true, 120_000)));
      try {
        await ready;
        return bot;
      } catch (error) {
        // A start may be refused while nodes or database are away; anything else is a bug of the start.
        const exit = await Promise.race([bot.exited, sleep(100)]);
        if (exit?.code !== 1) throw error;
        this.did.startsRefused += 1;
        this.tell(`a start was refused: ${bot.tail.slice(-300)}`);
        await sleep(START_AGAIN_MS);
      }
    }
  }

  private async launch(): Promise<BotProcess> {
    let process = 0;
    let isReady = false;
    const bot = await this.stack.launchBot(
      (event) => {
        isReady ||= event.event === 'bot-started';
        this.hear(event, process);
      },
      this.settings,
      (line) => {
        if (DEADLY.test(line)) this.problems.push(`a process said: ${line}`);
      },
    );
    process = bot.pid;
    this.did.started += 1;
    void bot.exited.then(({ code, signal }) => {
      if (isReady && !this.ending.has(bot))
        this.problems.push(`a process ended by itself with ${String(code ?? signal)}:\n${bot.tail}`);
    });
    return bot;
  }

  private sample(): void {
    const pid = this.main?.pid;
    if (pid === undefined) return;
    try {
      const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      if (kilobytes !== undefined)
        this.memory.push({ pid, atMs: Date.now(), bytes: Number(kilobytes) * 1_024 });
    } catch {
      // It has just ended.
    }
  }
}
