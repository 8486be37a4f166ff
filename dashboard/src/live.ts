import type { StatusAnswer } from './answers.js';
import { refusalOf, Refused, textOf } from './api.js';

const PAUSE_MS = 1_000;
/** The bot says something each few seconds; a connection that is silent for longer is dead. */
const SILENCE_MS = 15_000;

/** The holder of the key. */
export interface CallerTold {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
}

/** Who is told what the bot says. */
export interface Listener {
  readonly onCaller: (caller: CallerTold) => void;
  readonly onStatus: (status: StatusAnswer) => void;
  /** The bot does not answer, and is asked again. */
  readonly onProblem: (problem: string) => void;
  /** The key is not valid; nothing more is asked. */
  readonly onRefused: (problem: string) => void;
}

/** Listens to the stream of the bot, again after each end, until the returned function is called. */
export function watchStatus(key: string, listener: Listener): () => void {
  const ending = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = async (): Promise<void> => {
    try {
      await follow(key, listener, ending.signal);
      if (!ending.signal.aborted) listener.onProblem('it ended the stream');
    } catch (error) {
      if (ending.signal.aborted) return;
      if (error instanceof Refused && error.status === 401) {
        listener.onRefused(error.message);
        return;
      }
      listener.onProblem(textOf(error));
    }
    timer = setTimeout(() => void listen(), PAUSE_MS);
  };
  void listen();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}

/** EventSource sends no header, and a key does not belong into an address. */
async function follow(key: string, listener: Listener, ending: AbortSignal): Promise<void> {
  const silent = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(new Error('it has said nothing for a while')), SILENCE_MS);
  };
  try {
    heard();
    const answer = await fetch('/api/v1/stream', {
      headers: { Authorization: `Bearer ${key}` },
      signal: AbortSignal.any([ending, silent.signal]),
    });
    if (!answer.ok || !answer.body) throw await refusalOf(answer);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      const messages = (rest + value).split('\n\n');
      rest = messages.pop() ?? '';
      for (const message of messages) tell(message, listener);
    }
  } finally {
    clearTimeout(timer);
  }
}

function tell(message: string, { onCaller, onStatus }: Listener): void {
  const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
  if (data === undefined) return;
  // The types are those of the route: see docs/api.md.
  if (event === 'caller') onCaller(JSON.parse(data) as CallerTold);
  if (event === 'status') onStatus(JSON.parse(data) as StatusAnswer);
}
