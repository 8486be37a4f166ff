import { request, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The sentence of an error's answer. */
export function messageIn({ text }: { readonly text: string }): string {
  const body: unknown = JSON.parse(text);
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : text;
}

/** An answer as it came; of one that never ends, a stream, its first part. */
export interface FirstOfAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks without a body, and closes the connection once there is enough of the answer. */
export async function firstOf(
  { server }: { readonly server: Server },
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<FirstOfAnswer> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      const { statusCode: status = 0 } = answer;
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (answer.headers['content-type'] === 'text/event-stream') answer.destroy();
      });
      answer.on('close', () => resolve({ status, headers: answer.headers, text }));
    });
    asking.on('error', reject).end();
  });
}
