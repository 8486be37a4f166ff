import type { StatusAnswer } from './answers.js';
import { ask, Refused, textOf } from './api.js';

const PAUSE_MS = 1_000;

/** Who is told what the bot says. */
export interface Listener {
  readonly onStatus: (status: StatusAnswer) => void;
  /** The bot does not answer, and is asked again. */
  readonly onProblem: (problem: string) => void;
  /** The key is not valid; nothing more is asked. */
  readonly onRefused: (problem: string) => void;
}

/** Asks for the status each second, until the returned function is called. */
export function watchStatus(key: string, { onStatus, onProblem, onRefused }: Listener): () => void {
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async (): Promise<void> => {
    try {
      const status = await ask<StatusAnswer>(key, 'status');
      if (ended) return;
      onStatus(status);
    } catch (error) {
      if (ended) return;
      if (error instanceof Refused && error.status === 401) {
        onRefused(error.message);
        return;
      }
      onProblem(textOf(error));
    }
    timer = setTimeout(() => void look(), PAUSE_MS);
  };
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
