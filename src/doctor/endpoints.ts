import type { ChimeraConfig } from '../config/index.js';
import type { Block } from '../domain/block.js';
import type { Clock } from '../domain/clock.js';
import type { EndpointRole } from '../domain/endpoint-role.js';
import { messageOf } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';
import type { Secret } from '../domain/secret.js';
import { parseBlock, parseLogs } from '../rpc/chain/chain-answers.js';
import type { EndpointProblem, RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { webSocketProblem } from '../rpc/heads/ws-check.js';
import { problem, warning, well, type Check, type Finding } from './finding.js';

/** One endpoint, by itself. */
export interface OneEndpoint {
  readonly role: EndpointRole;
  readonly urls: { readonly http: Secret; readonly ws?: Secret | undefined };
  readonly pool: RpcPool;
  /** Why it cannot be used. */
  readonly refused: EndpointProblem | undefined;
  /** Its newest block; undefined when it gives none. */
  readonly head: Block | undefined;
  /** Milliseconds of that answer. */
  readonly answeredInMs: number;
}

export interface EndpointsAt {
  readonly config: ChimeraConfig;
  readonly clock: Clock;
  readonly endpoints: readonly OneEndpoint[];
}

/** As the start of the bot tolerates (rpc/endpoints/rpc-options.ts). */
const MOST_BEHIND_MS = 3_000;
const SLOW_MS = 500;
/** From the newest block back. A node that gives fewer makes the search for borrowers slow. */
const WANTED_RANGE = 1_000;
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** A question that each endpoint is asked. */
const each =
  (look: (one: OneEndpoint, at: EndpointsAt) => Finding | undefined | Promise<Finding | undefined>) =>
  async (at: EndpointsAt): Promise<readonly Finding[]> => {
    const findings = await Promise.all(
      at.endpoints.map(async (one) => {
        const finding = await look(one, at);
        return finding && { ...finding, found: `rpc.${one.role}: ${finding.found}` };
      }),
    );
    return findings.filter((one) => one !== undefined);
  };

/** The same of those that answer. */
const eachThatAnswers = (look: Parameters<typeof each>[0]): ReturnType<typeof each> =>
  each((one, at) => (one.refused ? undefined : look(one, at)));

export const ENDPOINTS: readonly Check<EndpointsAt>[] = [
  {
    name: 'reachable',
    look: each(({ refused }, { config: { network } }) => {
      if (!refused) return well(`it answers, on chain ${network.chainId}`);
      const { problem: said, wrongChain } = refused;
      const why = said.replace(/^rpc\.\w+ /, '');
      return problem(
        why,
        wrongChain
          ? `give the URL of a node of chain ${network.chainId}, or correct network.chainId`
          : 'see whether the URL and its key are right, and whether the provider serves',
      );
    }),
  },
  {
    name: 'head',
    look: eachThatAnswers(({ head }, { clock, config: { safety } }) => {
      if (!head) return problem('it gives no newest block', 'ask the provider, or take another one');
      const ageSeconds = Math.round(clock.wallMs() / 1_000 - head.timestamp);
      const found = `block ${head.number} is ${ageSeconds} s old`;
      if (ageSeconds < -safety.maxHeadAgeSeconds)
        return problem(`${found}: it is of the future`, 'set the clock of this machine by NTP');
      return ageSeconds <= safety.maxHeadAgeSeconds
        ? well(found)
        : problem(
            found,
            'see whether the chain stands still, the node is behind, or the clock here is ahead',
          );
    }),
  },
  {
    name: 'lag',
    look: eachThatAnswers(({ head }, { endpoints }) => {
      if (!head || endpoints.length < 2) return undefined;
      const newest = Math.max(...endpoints.map((other) => other.head?.timestamp ?? 0));
      const behindMs = (newest - head.timestamp) * 1_000;
      const found = `its newest block is ${behindMs / 1_000} s behind that of the others`;
      return behindMs <= MOST_BEHIND_MS
        ? well(found)
        : problem(found, 'the bot does not ask it: wait until the node has caught up, or take another one');
    }),
  },
  {
    name: 'speed',
    look: eachThatAnswers(({ answeredInMs }) => {
      const found = `it answered in ${answeredInMs} ms`;
      return answeredInMs <= SLOW_MS
        ? well(found)
        : warning(found, 'take a node near this machine: rivals plan within a block');
    }),
  },
  {
    name: 'encryption',
    look: each(({ urls }) => {
      const open = [urls.http, urls.ws].flatMap((secret) => {
        const url = secret && new URL(secret.reveal());
        return url && /^(http|ws):$/.test(url.protocol) && !LOCAL.test(url.hostname) ? [url.protocol] : [];
      });
      return open.length === 0
        ? well('what is asked is encrypted, or stays on this machine')
        : warning(
            `${open.join(' and ')} is not encrypted: who is in between can change answers`,
            'use https and wss, unless the network is your own',
          );
    }),
  },
  {
    name: 'logs',
    look: eachThatAnswers(async ({ pool, head, role }, { config: { execution } }) => {
      if (!head) return undefined;
      const range = { fromBlock: Math.max(0, head.number - WANTED_RANGE + 1), toBlock: head.number };
      const problemText = await logsProblem(pool, range, execution.chimera);
      if (problemText === undefined) return well(`it gives the logs of ${WANTED_RANGE} blocks at once`);
      return (role === 'archive' ? problem : warning)(
        `it does not give the logs of ${WANTED_RANGE} blocks at once (${problemText})`,
        'the first search for borrowers takes long: name an rpc.archive or rpc.hypersync, or a plan without that limit',
      );
    }),
  },
  {
    name: 'history',
    look: async ({ endpoints, config: { protocols, rpc } }) => {
      if (rpc.hypersync) return well('HyperSync gives the old logs');
      const asked =
        endpoints.find(({ role }) => role === 'archive') ?? endpoints.find(({ refused }) => !refused);
      if (!asked || asked.refused) return [];
      const results = await Promise.all(
        protocols.map(async ({ name, fromBlock }) => {
          const range = { fromBlock, toBlock: Math.min(fromBlock + 9, asked.head?.number ?? fromBlock) };
          if (range.toBlock < fromBlock) return undefined;
          const found = await logsProblem(asked.pool, range, '0x0000000000000000000000000000000000000001');
          return found === undefined ? undefined : `${name}: ${found}`;
        }),
      );
      const missing = results.filter((one) => one !== undefined);
      return missing.length === 0
        ? well(`rpc.${asked.role} gives the logs from the first block of each market on`)
        : problem(
            `rpc.${asked.role} does not give the logs of the first blocks of ${missing.join(', ')}`,
            'name an rpc.archive that keeps all logs, or rpc.hypersync; or npx chimera positions import a snapshot',
          );
    },
  },
  {
    name: 'WebSocket',
    look: eachThatAnswers(async ({ role, urls }, { config: { network } }) => {
      if (role === 'archive') return undefined;
      if (!urls.ws)
        return warning('it has no WebSocket: heads are polled, which is later', `set rpc.${role}.ws`);
      const why = await webSocketProblem(role, urls.ws, network.chainId);
      return why === undefined
        ? well('it gives heads over its WebSocket')
        : problem(`its WebSocket gives no heads (${why})`, `correct rpc.${role}.ws, or leave it out`);
    }),
  },
  {
    name: 'second endpoint',
    look: ({ config: { rpc } }) => {
      if (!rpc.backup)
        return warning(
          'there is one endpoint: what it says is believed, and without it the bot stands still',
          'name a node of another provider in rpc.backup',
        );
      if (hostOf(rpc.primary.http) === hostOf(rpc.backup.http) && !LOCAL.test(hostOf(rpc.backup.http)))
        return warning('both endpoints are of one provider', 'name a node of another provider in rpc.backup');
      return rpc.secondOpinion
        ? well('plans need both endpoints to agree')
        : warning('plans are made on the word of one endpoint', 'leave out rpc.secondOpinion: false');
    },
  },
  {
    name: 'agreement',
    look: async ({ endpoints }) => {
      const able = endpoints.filter(({ refused, head }) => !refused && head);
      if (able.length < 2) return [];
      const number = Math.min(...able.map(({ head }) => head?.number ?? 0));
      const hashes = await Promise.all(able.map(({ pool }) => hashOf(pool, number)));
      const [first] = hashes;
      return hashes.every((hash) => hash === first)
        ? well(`they have the same block ${number}`)
        : problem(
            `they have different blocks ${number}: ${able.map(({ role }, at) => `${role} ${String(hashes[at])}`).join(', ')}`,
            'run this again; if it stays so, one of them follows another chain: replace it',
          );
    },
  },
];

/** Why the logs of a range cannot be had; undefined when they can. */
async function logsProblem(
  pool: RpcPool,
  range: { readonly fromBlock: number; readonly toBlock: number },
  address: Address,
): Promise<string | undefined> {
  const [fromBlock, toBlock] = [range.fromBlock, range.toBlock].map((number) => `0x${number.toString(16)}`);
  try {
    await pool.call('eth_getLogs', [{ fromBlock, toBlock, address: [address] }], (raw) =>
      parseLogs(raw, range, [address]),
    );
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function hashOf(pool: RpcPool, number: number): Promise<string> {
  const params = [`0x${number.toString(16)}`, false];
  return pool.call('eth_getBlockByNumber', params, (raw) => parseBlock(raw, pool.headers).hash);
}

function hostOf(url: Secret): string {
  return new URL(url.reveal()).hostname;
}
