import type { ServerResponse } from 'node:http';

/** What goes wrong on the way of an answer, whatever it says. */
export type TransportFault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  | { readonly kind: 'body'; readonly body: string; readonly contentType?: string }
  /** The node accepts the request and never answers. */
  | { readonly kind: 'black-hole' }
  /** The answer is correct, but late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The node executes the request, and then cuts the connection without an answer. */
  | { readonly kind: 'reset' }
  /** The node cuts the connection in the middle of a correct answer. */
  | { readonly kind: 'truncated' };

/** What a gateway shows when the node behind it is gone. */
export const HTML = '<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>';

/** Answers with the correct body, or as the fault has it. */
export function replyWith(
  response: ServerResponse,
  fault: TransportFault | undefined,
  correct: string,
): void {
  switch (fault?.kind) {
    case undefined:
      reply(response, 200, correct);
      return;
    case 'status':
      reply(response, fault.status, fault.body ?? HTML, { 'content-type': 'text/html', ...fault.headers });
      return;
    case 'body':
      reply(response, 200, fault.body, { 'content-type': fault.contentType ?? 'application/json' });
      return;
    case 'black-hole':
      return;
    case 'slow':
      setTimeout(() => reply(response, 200, correct), fault.ms);
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'truncated':
      response.writeHead(200, { 'content-length': Buffer.byteLength(correct) });
      response.write(correct.slice(0, -5), () => response.socket?.destroy());
      return;
  }
}

export function reply(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}
