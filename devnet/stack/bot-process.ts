/**
 * The real bot as a process of its own: the same build as `nest start`, spoken to through its log and its API
 * only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BotEvent, EventNamed } from '../../src/domain/events/events.js';

const SHIPPED = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
/** Lines kept to explain a failure. */
const KEPT_LINES = 40;
/** What the bot does in a second may take long on a busy machine. */
const PATIENCE_MS = 60_000;

export interface BotExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface BotProcessOptions {
  /** Everything the bot finds in its environment, besides PATH. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onEvent?: ((event: BotEvent) => void) | undefined;
  /** Lines of the log that are no events. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** From dist/src/main.js. Default: from what BOT_ENTRY names, as the end-to-end tests set it. */
  readonly shipped?: boolean | undefined;
}

/** A running bot. It ends with this process, however that ends. */
export class BotProcess {
  readonly exited: Promise<BotExit>;
  #apiUrl: string | undefined;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<{
    readonly matches: (event: BotEvent) => boolean;
    readonly found: (event: BotEvent) => void;
  }>();
  readonly #endWithUs = (): void => void this.#child.kill('SIGKILL');

  constructor(private readonly options: BotProcessOptions) {
    const entry = options.shipped ? SHIPPED : (process.env['BOT_ENTRY'] ?? SHIPPED);
    if (!existsSync(entry)) throw new Error('the bot is not built: run npm run build first');
    this.#child = spawn(process.execPath, ['--enable-source-maps', '--max-old-space-size=1024', entry], {
      env: { PATH: process.env['PATH'], ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C in a terminal reaches the whole group: the bot is stopped by us, in order.
      detached: true,
    });
    process.once('exit', this.#endWithUs);
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        process.removeListener('exit', this.#endWithUs);
        resolve({ code, signal });
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface(stream).on('line', (line) => this.#read(line));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Where its API listens. */
  get apiUrl(): string {
    if (this.#apiUrl === undefined) throw new Error('the API of the bot does not listen yet');
    return this.#apiUrl;
  }

  /** The last lines of the log, the newest last. */
  get tail(): string {
    return this.#lines.join('\n');
  }

  /**
   * The next event that matches.
   * @throws Error with the log's tail when the bot ends or the time is over first
   */
  async waitFor<E extends BotEvent['event']>(
    name: E,
    matches: (event: EventNamed<E>) => boolean = () => true,
    timeoutMs = PATIENCE_MS,
  ): Promise<EventNamed<E>> {
    const isIt = (event: BotEvent): event is EventNamed<E> =>
      event.event === name && matches(event as EventNamed<E>);
    let waiter: { matches: (event: BotEvent) => boolean; found: (event: BotEvent) => void } | undefined;
    let timer: NodeJS.Timeout | undefined;
    const failed = (why: string): Error =>
      new Error(`${why} before ${name}; its log ends with:\n${this.tail}`);
    try {
      return await new Promise<EventNamed<E>>((resolve, reject) => {
        waiter = { matches: isIt, found: (event) => isIt(event) && resolve(event) };
        this.#waiting.add(waiter);
        timer = setTimeout(() => reject(failed(`the bot took more than ${timeoutMs} ms`)), timeoutMs);
        void this.exited.then(({ code }) => reject(failed(`the bot ended with ${String(code)}`)));
      });
    } finally {
      clearTimeout(timer);
      if (waiter) this.#waiting.delete(waiter);
    }
  }

  /** SIGTERM, and SIGKILL when it does not end in time. */
  async stop(timeoutMs = PATIENCE_MS): Promise<BotExit> {
    this.thaw();
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** As a crash: no handler runs. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Stands still, as a process that gets no time: its connections stay open. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Goes on where it stood still. */
  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  #read(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    const event = eventOf(line);
    if (!event) {
      this.options.onLine?.(line);
      return;
    }
    if (event.event === 'api-listening') this.#apiUrl = event.url;
    this.options.onEvent?.(event);
    for (const waiter of this.#waiting) if (waiter.matches(event)) waiter.found(event);
  }
}

function eventOf(line: string): BotEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(line);
    // The bot's own log: what carries `event` was written by EventLog.
    return typeof parsed === 'object' && parsed !== null && 'event' in parsed
      ? (parsed as BotEvent)
      : undefined;
  } catch {
    return undefined;
  }
}
