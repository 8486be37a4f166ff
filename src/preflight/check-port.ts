import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ApiConfig } from '../config/index.js';

type Place = Pick<ApiConfig, 'host' | 'port'>;

/** Takes the port of the API and leaves it. @returns a sentence when it cannot be had. */
export async function checkPort({ host, port }: Place): Promise<string[]> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return [];
  } catch (error) {
    return [portProblem({ host, port }, error)];
  }
}

/** Why the API cannot listen, in one sentence. */
export function portProblem({ host, port }: Place, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'EADDRINUSE':
      return `api.port: port ${port} of ${host} is in use by another program; a free port was expected (0 takes any)`;
    case 'EACCES':
      return `api.port: port ${port} may not be used by this account; a port from 1024 on was expected`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `api.host: this machine has no address ${host}; one of its own was expected, for example 127.0.0.1`;
    default:
      return `api.port: the API cannot listen on port ${port} of ${host} (${code})`;
  }
}
