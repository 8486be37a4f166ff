import { Redis } from 'ioredis';
import type { ChimeraConfig } from '../config/index.js';
import { messageOf } from '../domain/errors.js';
import { checkPort } from '../preflight/check-port.js';
import { publicDoorProblem } from '../preflight/preflight.js';
import { problem, unless, warning, well, type Check } from './finding.js';

const ANSWER_MS = 2_000;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

export const REDIS: readonly Check<ChimeraConfig>[] = [
  {
    name: 'Redis',
    look: async ({ redis, environment }) => {
      if (!redis) return well('none is configured: the cache is in memory');
      const { host, port, db } = redis;
      const client = new Redis({
        ...{ host, port, db, lazyConnect: true, maxRetriesPerRequest: 0, connectTimeout: ANSWER_MS },
        retryStrategy: () => null,
        ...(environment.redisPassword && { password: environment.redisPassword.reveal() }),
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        const memory = await client.info('memory');
        const limit = Number(/^maxmemory:(\d+)/m.exec(memory)?.[1] ?? 0);
        const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'unknown';
        if (limit > 0 && policy === 'noeviction')
          return warning(
            'it refuses writes when its memory is full (maxmemory-policy noeviction)',
            'set maxmemory-policy allkeys-lru: what the bot keeps there can be computed again',
          );
        return well(`it answers; maxmemory-policy ${policy}`);
      } catch (error) {
        return problem(
          `it does not answer (${messageOf(error)})`,
          'correct redis and REDIS_PASSWORD, or leave the section out: the bot runs without it',
        );
      } finally {
        client.disconnect();
      }
    },
  },
];

export const ALERTS: readonly Check<ChimeraConfig>[] = [
  {
    name: 'channels',
    look: ({ alerts: { channels } }) => {
      if (channels.length === 0)
        return warning(
          'no channel is configured: the bot tells no operator of trouble',
          'add one to alerts.channels: docs/alerts.md',
        );
      const told = channels.filter(
        ({ severities, for: topic }) => topic !== 'notifications' && severities.includes('CRITICAL'),
      );
      return told.length > 0
        ? well(
            `${told.map(({ name }) => name).join(', ')} is told of what is CRITICAL; npx chimera alerts test sends one message`,
          )
        : warning('no channel is told of CRITICAL alerts', 'add CRITICAL to the severities of a channel');
    },
  },
  {
    name: 'two channels',
    look: ({ alerts: { channels } }) =>
      new Set(channels.map(({ kind }) => kind)).size > 1
        ? well('a channel that fails leaves another one')
        : warning('there are not two kinds of channels', 'add one of another kind: a provider may be away'),
  },
];

export const API: readonly Check<ChimeraConfig>[] = [
  {
    name: 'port',
    look: async ({ api }) => {
      const problems = await checkPort(api);
      if (problems.length === 0) return well(`${api.host} port ${api.port} is free`);
      return (await isOurs(api)) ? well('a bot answers there') : unless(problems, '');
    },
  },
  {
    name: 'keys',
    look: ({ api: { keys } }) => {
      if (keys.some(({ role }) => role === 'operator'))
        return well(`${keys.length} ${keys.length === 1 ? 'key' : 'keys'}, one or more of an operator`);
      return warning(
        keys.length === 0 ? 'there is no key' : 'there is no key of an operator',
        'add one to api.keys (docs/api.md): without it no command can halt the bot',
      );
    },
  },
  {
    name: 'address',
    look: ({ api: { host } }) =>
      LOOPBACK.includes(host)
        ? well('only this machine reaches it')
        : warning(
            `api.host ${host} may be reached from other machines, and the answers are not encrypted`,
            'bind it to 127.0.0.1 behind a proxy with TLS, or keep the port inside of a network of your own',
          ),
  },
  {
    name: 'door into the block',
    look: (config) => {
      const { mode } = config.execution;
      return unless(
        publicDoorProblem(config),
        mode === 'live' ? 'rivals do not see transactions before they are mined' : 'a dry run sends nothing',
      );
    },
  },
];

async function isOurs({ host, port }: ChimeraConfig['api']): Promise<boolean> {
  try {
    const answer = await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}/health/live`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return answer.ok && ((await answer.json()) as { status?: unknown }).status !== undefined;
  } catch {
    return false;
  }
}
