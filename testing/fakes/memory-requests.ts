import type { RequestsRepository } from '../../src/database/index.js';

/** Keeps the answers of requests, as the database would. */
export function memoryRequests(
  ask: () => Promise<unknown>,
): Pick<RequestsRepository, 'begin' | 'answered' | 'failed'> {
  const kept = new Map<string, { readonly digest: string; answer?: object }>();
  const keyOf = ({ actor, key }: { readonly actor: string; readonly key: string }): string =>
    JSON.stringify([actor, key]);
  return {
    begin: async (request) => {
      await ask();
      const digest = request.digest.toString('hex');
      const found = kept.get(keyOf(request));
      if (!found) {
        kept.set(keyOf(request), { digest });
        return { kind: 'new' };
      }
      if (found.digest !== digest) return { kind: 'other' };
      return found.answer ? { kind: 'answered', answer: found.answer } : { kind: 'working' };
    },
    answered: (request, answer) => {
      const found = kept.get(keyOf(request));
      if (found) found.answer = answer;
      return Promise.resolve();
    },
    failed: (request) => {
      kept.delete(keyOf(request));
      return Promise.resolve();
    },
  };
}
