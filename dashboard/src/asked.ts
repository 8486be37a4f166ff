import { useEffect, useState } from 'preact/hooks';
import { ask, textOf } from './api.js';

export interface Asked<Answer> {
  readonly answer: Answer | undefined;
  readonly problem: string;
}

/**
 * What a route answers, asked again after each pause. An older answer stays while the bot is away.
 *
 * @param path a function of it must stay the same one as long as the question does
 */
export function useAsked<Answer>(key: string, path: string | (() => string), pauseMs: number): Asked<Answer> {
  const [asked, setAsked] = useState<Asked<Answer>>({ answer: undefined, problem: '' });
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const answer = await ask<Answer>(key, typeof path === 'string' ? path : path());
        if (!ended) setAsked({ answer, problem: '' });
      } catch (error) {
        if (!ended) setAsked(({ answer }) => ({ answer, problem: textOf(error) }));
      }
      if (!ended) timer = setTimeout(() => void look(), pauseMs);
    };
    void look();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [key, path, pauseMs]);
  return asked;
}
