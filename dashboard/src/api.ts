/** What the page reads of GET /api/v1/status (src/api/status-answer.ts has the words). */
export interface StatusAnswer {
  readonly network: { readonly name: string };
  readonly mode: string;
  readonly safety: { readonly state: string; readonly reason: string };
  readonly head: { readonly number: number; readonly lagSeconds: number } | null;
  readonly endpoints: readonly {
    readonly role: string;
    readonly state: string;
    readonly latencyMs: number | null;
  }[];
  readonly positions: {
    readonly total: number;
    readonly liquidatable: number;
    readonly inFlight: number;
    readonly setAside: readonly unknown[];
  };
  readonly outcomes: {
    readonly overall: Readonly<Record<'won' | 'lost' | 'stale' | 'refused' | 'malfunction', number>> & {
      readonly lossesUsd: string;
    };
  };
  readonly limits: Readonly<
    Record<
      | 'dailyVolumeLeftUsd'
      | 'maxDailyVolumeUsd'
      | 'dailyFeeLeftEth'
      | 'dailyLossLeftUsd'
      | 'maxSingleExecutionUsd',
      string
    >
  >;
  readonly alerts: { readonly active: number };
}

/** The API refused a request; `status` is that of HTTP. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const PATIENCE_MS = 10_000;

async function ask(key: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`/api/v1/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { Authorization: `Bearer ${key}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const said: unknown = await answer.json();
  if (answer.ok) return said;
  const message = typeof said === 'object' && said !== null && 'message' in said ? said.message : undefined;
  throw new Refused(answer.status, typeof message === 'string' ? message : answer.statusText);
}

export const readStatus = async (key: string): Promise<StatusAnswer> =>
  (await ask(key, 'status')) as StatusAnswer;

/** For operators. */
export async function order(key: string, what: 'halt' | 'resume', reason: string): Promise<void> {
  await ask(key, `safety/${what}`, { reason });
}
