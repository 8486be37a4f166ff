/** Raw JSON-RPC over HTTP to the local chain: one call or a batch, nothing cached, nothing retried. */

export interface RpcCall {
  method: string;
  params: readonly unknown[];
}

interface RpcResponse {
  id: number;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

/** The node answered a call with an error. */
export class RpcError extends Error {
  constructor(
    readonly method: string,
    readonly code: number,
    message: string,
    readonly data: unknown,
  ) {
    super(`${method}: ${message}`);
    this.name = 'RpcError';
  }
}

/** Calls per HTTP request; keeps a request in the low megabytes. */
const BATCH_SIZE = 500;

export class RpcClient {
  #nextId = 1;

  constructor(readonly url: string) {}

  /**
   * Sends one call.
   * @throws {RpcError} when the node answers with an error
   */
  async call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const [result] = await this.#post([{ method, params }]);
    return result;
  }

  /**
   * Sends many calls, in as few requests as sensible. The node runs the calls of one request concurrently.
   * @returns the results in the order of the calls
   * @throws {RpcError} for the first call that the node answers with an error
   */
  async batch(calls: readonly RpcCall[]): Promise<unknown[]> {
    const results: unknown[] = [];
    for (let i = 0; i < calls.length; i += BATCH_SIZE) {
      results.push(...(await this.#post(calls.slice(i, i + BATCH_SIZE))));
    }
    return results;
  }

  async #post(calls: readonly RpcCall[]): Promise<unknown[]> {
    const firstId = this.#nextId;
    this.#nextId += calls.length;
    const body = calls.map((call, i) => ({ jsonrpc: '2.0', id: firstId + i, ...call }));
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the local chain answered HTTP ${response.status}`);
    const answers = new Map(((await response.json()) as RpcResponse[]).map((answer) => [answer.id, answer]));
    return calls.map((call, i) => {
      const answer = answers.get(firstId + i);
      if (!answer) throw new Error(`${call.method}: the local chain left the call unanswered`);
      if (answer.error) {
        throw new RpcError(call.method, answer.error.code, answer.error.message, answer.error.data);
      }
      return answer.result;
    });
  }
}
