import { WebSocket } from 'ws';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { Secret } from '../../domain/secret.js';
import { EndpointAddress } from '../endpoints/endpoint-address.js';
import { USER_AGENT } from '../endpoints/user-agent.js';

const LARGEST_FRAME_BYTES = 1024 * 1024;
const CHAIN_ID = 1;
const HEADS = 2;

/**
 * Connects once, asks for the chain id and subscribes to heads.
 *
 * @returns why that did not work, in a few words without the URL; undefined when it did
 */
export async function webSocketProblem(
  role: EndpointRole,
  url: Secret,
  chainId: number,
  deadlineMs = 5_000,
): Promise<string | undefined> {
  const address = new EndpointAddress(role, url, ['ws:', 'wss:']);
  const socket = new WebSocket(address.reveal(), {
    headers: { 'user-agent': USER_AGENT },
    handshakeTimeout: deadlineMs,
    maxPayload: LARGEST_FRAME_BYTES,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      timer = setTimeout(() => resolve(`no answer within ${deadlineMs / 1_000} s`), deadlineMs);
      socket.on('error', reject);
      socket.on('close', () => resolve('the node closed the connection'));
      socket.on('open', () => {
        socket.send(request(CHAIN_ID, 'eth_chainId', []));
        socket.send(request(HEADS, 'eth_subscribe', ['newHeads']));
      });
      socket.on('message', (data: Buffer) => {
        const { id, result, error } = answerIn(data.toString());
        if (error !== undefined) resolve(`the node refuses: ${error}`);
        else if (id === CHAIN_ID && Number(result) !== chainId)
          resolve(`it is on chain ${Number(result)}; chain ${chainId} was expected`);
        else if (id === HEADS) resolve(undefined);
      });
    }).then((text) => text && address.scrub(text));
  } catch (error) {
    return address.scrub(messageOf(error));
  } finally {
    clearTimeout(timer);
    socket.removeAllListeners('close');
    socket.on('error', () => undefined);
    socket.terminate();
  }
}

function request(id: number, method: string, params: readonly unknown[]): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

function answerIn(text: string): { id?: unknown; result?: unknown; error?: string } {
  const answer: unknown = JSON.parse(text);
  if (typeof answer !== 'object' || answer === null) return { error: 'an answer that is no object' };
  const { id, result, error } = answer as Record<string, unknown>;
  if (error === undefined || error === null) return { id, result };
  const message = typeof error === 'object' && 'message' in error ? error.message : error;
  return { id, error: String(message) };
}
