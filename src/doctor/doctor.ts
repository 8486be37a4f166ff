import { ConfigSource, type ChimeraConfig, type ConfigSourceOptions } from '../config/index.js';
import { openToRead, checkDatabase } from '../database/index.js';
import type { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import { hypersyncProblems, marketsOf, missingContracts } from '../preflight/preflight.js';
import { roleProblems } from '../preflight/check-roles.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { CONTRACT, MARKETS } from './chain.js';
import { DATABASE } from './database.js';
import { ENDPOINTS, type OneEndpoint } from './endpoints.js';
import { AREAS, problemOf, well, type Area, type Looked } from './finding.js';
import { LIVE } from './live.js';
import { MACHINE } from './machine.js';
import { ask, leave } from './rounds.js';
import { ALERTS, API, REDIS } from './services.js';
import { WALLET, walletOf } from './wallet.js';

export interface CheckUp {
  readonly clock: Clock;
  readonly events: Events;
  /** Also what must hold before the first live run. */
  readonly live: boolean;
}

/**
 * Looks at everything that the bot needs, whether it runs or not. It changes nothing, and sends no
 * transaction.
 *
 * @returns an answer to each question, in the order of {@link AREAS}
 */
export async function checkUp(
  from: ConfigSourceOptions,
  { clock, events, live }: CheckUp,
): Promise<Looked[]> {
  const name = 'configuration file';
  let config: ChimeraConfig;
  let looked: Looked;
  try {
    const loaded = await ConfigSource.load(from);
    config = loaded.config;
    looked = { area: 'configuration', name, ...well(`${loaded.source.fileName} is valid`) };
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return error.problems.map((sentence) => ({ area: 'configuration', name, ...problemOf(sentence) }));
  }
  const { mode } = config.execution;
  const { tier } = config.safety;
  const limits = well(
    mode === 'live'
      ? `live: transactions are signed, within the limits of tier ${tier}`
      : 'dry run: no transaction is signed',
  );
  const parts = await Promise.all([
    ask('machine', MACHINE, config),
    database(config, { clock, events, live }),
    ask('redis', REDIS, config),
    chain(config, clock),
    ask('alerts', ALERTS, config),
    ask('api', API, config),
  ]);
  const all: Looked[] = [looked, { area: 'configuration', name: 'mode', ...limits }, ...parts.flat()];
  const place = (area: Area): number => AREAS.indexOf(area);
  return all.sort((one, other) => place(one.area) - place(other.area));
}

async function database(config: ChimeraConfig, { clock, events, live }: CheckUp): Promise<Looked[]> {
  const reach = await ask(
    'database',
    [
      {
        name: 'reachable',
        look: async () => {
          const problems = await checkDatabase(config);
          return problems.length === 0 ? well('it can be used') : problems.map(problemOf);
        },
      },
    ],
    config,
  );
  const further = (why: string): Looked[] => [
    ...leave('database', DATABASE, why),
    ...(live ? leave('live', LIVE, why) : []),
  ];
  if (reach.some(({ verdict }) => verdict === 'problem'))
    return [...reach, ...further('the database cannot be used')];
  try {
    const { database: opened, close } = await openToRead(config, events, clock);
    try {
      const at = { config, database: opened, clock };
      return [
        ...reach,
        ...(await ask('database', DATABASE, at)),
        ...(live ? await ask('live', LIVE, at) : []),
      ];
    } finally {
      await close();
    }
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return [...reach, ...further(error.problems.join('; '))];
  }
}

async function chain(config: ChimeraConfig, clock: Clock): Promise<Looked[]> {
  const { network, rpc } = config;
  const { chainId } = network;
  const pools: RpcPool[] = [];
  try {
    const endpoints = await Promise.all(
      (['primary', 'backup', 'archive'] as const).flatMap((role) => {
        const urls = rpc[role];
        if (!urls) return [];
        const pool = new RpcPool({ chainId, primary: urls });
        pools.push(pool);
        return [examined(role, urls, pool, clock)];
      }),
    );
    const asked = await ask('endpoints', ENDPOINTS, { config, clock, endpoints });
    const fast = await ask(
      'endpoints',
      [
        {
          name: 'HyperSync',
          look: async () => {
            const problems = await hypersyncProblems(config);
            return problems.length > 0
              ? problems.map(problemOf)
              : well(rpc.hypersync ? 'it gives old logs' : 'none is configured');
          },
        },
      ],
      config,
    );
    const able = endpoints.filter(({ role, refused, head }) => role !== 'archive' && !refused && head);
    const leftOut = (why: string): Looked[] => [
      ...leave('contract', CONTRACT, why),
      ...leave('markets', MARKETS, why),
      ...leave('wallet', WALLET, why),
    ];
    if (able.length === 0) return [...asked, ...fast, ...leftOut('no endpoint serves')];
    const whole = new RpcPool({ chainId, primary: rpc.primary, backup: rpc.backup, archive: rpc.archive });
    pools.push(whole);
    await whole.checkEndpoints();
    return [...asked, ...fast, ...(await onChain(config, clock, new Chain(whole)))];
  } finally {
    for (const pool of pools) pool.close();
  }
}

async function onChain(config: ChimeraConfig, clock: Clock, chain: Chain): Promise<Looked[]> {
  const block = await chain.getBlock('latest');
  const markets = marketsOf(chain, config);
  const missing = await missingContracts(chain, config, markets);
  const operator = walletOf(config);
  const roles =
    missing.length > 0
      ? undefined
      : (await roleProblems(chain, config, markets, { operator, block: block.hash })).problems;
  const at = { config, clock, chain, block, markets, missing, roles };
  const areas = await Promise.all([
    ask('contract', CONTRACT, at),
    ask('markets', MARKETS, at),
    ask('wallet', WALLET, at),
  ]);
  return areas.flat();
}

async function examined(
  role: OneEndpoint['role'],
  urls: OneEndpoint['urls'],
  pool: RpcPool,
  clock: Clock,
): Promise<OneEndpoint> {
  const [refused] = await pool.checkEndpoints();
  const beganMs = clock.monotonicMs();
  const head = refused ? undefined : await new Chain(pool).getBlock('latest').catch(() => undefined);
  const answeredInMs = Math.round(clock.monotonicMs() - beganMs);
  return { role, urls, pool, refused, head, answeredInMs };
}
