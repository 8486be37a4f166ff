import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Response } from 'express';
import type { ApiKey, Role } from './api-keys.js';
import { Refusal } from './refusal.js';
import type { StatusAnswer } from './status-answer.js';
import { StatusReader } from './status-reader.js';

/** At most five times a second. */
const LOOK_MS = 200;
/** So that a reader sees that the bot is there, also when nothing changes. */
const QUIET_MS = 5_000;
/** A reader that takes nothing for so long is disconnected. */
const SLOW_MS = 5_000;
/** Of each role, so that viewers leave room for operators. */
export const MOST_STREAMS = 16;

interface Reader {
  readonly response: Response;
  readonly role: Role;
  /** Since when it has taken nothing; undefined while it takes what it is given. */
  fullSinceMs: number | undefined;
}

/**
 * Tells the state of the bot as server-sent events. One look serves all readers. A slow reader misses states,
 * but never the newest one. At most one state waits for it in memory.
 */
@Injectable()
export class StatusStream implements OnModuleDestroy {
  readonly #log = new Logger(StatusStream.name);
  readonly #readers = new Set<Reader>();
  #timer: NodeJS.Timeout | undefined;
  #told = '';
  #toldAtMs = 0;
  #hasEnded = false;

  constructor(private readonly status: StatusReader) {}

  /** @throws Refusal when too many read, or when the bot stops */
  open(response: Response, { name, role }: ApiKey): void {
    if (this.#hasEnded) throw new Refusal(503, 'the bot stops');
    if ([...this.#readers].filter((one) => one.role === role).length >= MOST_STREAMS)
      throw new Refusal(503, `${MOST_STREAMS} streams are open with keys of this role: close one of them`);
    const first = message('status', JSON.stringify(this.status.answer()));
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      // Proxies that would collect the answer before they pass it on.
      'X-Accel-Buffering': 'no',
    });
    // The answer to HEAD has no body, so nothing would ever end it.
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    const reader: Reader = { response, role, fullSinceMs: undefined };
    response.on('close', () => this.#forget(reader));
    this.#readers.add(reader);
    response.write(message('caller', JSON.stringify({ name, role })) + first);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  onModuleDestroy(): void {
    this.#hasEnded = true;
    this.#endAll();
  }

  /** What a reader has not taken yet would keep its connection: then nothing more is told. */
  #endAll(): void {
    for (const reader of this.#readers) {
      if (reader.response.writableNeedDrain) reader.response.destroy();
      else reader.response.end();
      this.#forget(reader);
    }
  }

  #look(): void {
    let answer: StatusAnswer;
    try {
      answer = this.status.answer();
    } catch (error) {
      this.#log.error(`the stream ends: ${String(error)}`);
      this.#endAll();
      return;
    }
    const nowMs = performance.now();
    // It differs in every look.
    const changes = JSON.stringify({ ...answer, sinceLastPassMs: null });
    if (changes === this.#told && nowMs - this.#toldAtMs < QUIET_MS) return;
    this.#told = changes;
    this.#toldAtMs = nowMs;
    const text = message('status', JSON.stringify(answer));
    for (const reader of this.#readers) this.#tell(reader, text, nowMs);
  }

  #tell(reader: Reader, text: string, nowMs: number): void {
    const { response } = reader;
    if (!response.writableNeedDrain) {
      reader.fullSinceMs = undefined;
      response.write(text);
      return;
    }
    reader.fullSinceMs ??= nowMs;
    if (nowMs - reader.fullSinceMs > SLOW_MS) response.destroy();
  }

  #forget(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** JSON has no line feed of its own. */
const message = (event: string, json: string): string => `event: ${event}\ndata: ${json}\n\n`;
