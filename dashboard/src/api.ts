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

/** A GET, or with a body a POST, of a route below /api/v1/. */
export async function ask<Answer>(key: string, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(`/api/v1/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { Authorization: `Bearer ${key}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!answer.ok) throw await refusalOf(answer);
  // The type is that of the route: see answers.ts.
  return (await answer.json()) as Answer;
}

/** Why the API did not serve: its own sentence, where it has one. */
export async function refusalOf(answer: Response): Promise<Refused> {
  const said: unknown = await answer.json().catch(() => undefined);
  const message = typeof said === 'object' && said !== null && 'message' in said ? said.message : undefined;
  return new Refused(answer.status, typeof message === 'string' ? message : answer.statusText);
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
