import type { ProxyState } from './nodes/tcp-proxy.js';

/**
 * Before a PostgreSQL: every statement and every new connection gets this error, and is cut, as poolers and
 * hosted servers do it in words of their own.
 *
 * @param code SQLSTATE
 */
export function postgresError(code: string, message: string): ProxyState {
  // ErrorResponse of the protocol: its fields are a letter and a text each, and a zero byte ends them.
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0D${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return { kind: 'answering', answer: Buffer.concat([head, fields]) };
}
