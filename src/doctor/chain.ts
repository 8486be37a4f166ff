import type { ChimeraConfig } from '../config/index.js';
import { SELECTORS } from '../contract/bindings.js';
import type { Block } from '../domain/block.js';
import { chainDescription } from '../domain/chain-description.js';
import type { Clock } from '../domain/clock.js';
import { toAddress, type Address } from '../domain/hex.js';
import { formatUnits } from '../domain/money.js';
import { feedNatures } from '../oracles/feed-natures.js';
import { feedFactsRead, feedProblem } from '../oracles/native-price.js';
import { addressOf, words } from '../preflight/check-contracts.js';
import { kindsRead } from '../preflight/check-kinds.js';
import type { RoleProblems } from '../preflight/check-roles.js';
import { checkBloom, checkSimulation, historyProblems } from '../preflight/preflight.js';
import type { LendingMarket } from '../protocols/lending-market.js';
import type { Chain } from '../rpc/chain/chain.js';
import { readAt, together } from '../rpc/chain/read.js';
import { problem, problemOf, unless, warning, well, type Check, type Finding } from './finding.js';

/** What the questions about the chain are asked at. */
export interface ChainAt {
  readonly config: ChimeraConfig;
  readonly clock: Clock;
  readonly chain: Chain;
  readonly block: Block;
  readonly markets: readonly LendingMarket[];
  /** Sentences of addresses without code. */
  readonly missing: readonly string[];
  /** Undefined while addresses have no code: nothing was asked. */
  readonly roles: RoleProblems | undefined;
}

const ZERO = toAddress(`0x${'00'.repeat(20)}`);
const AFTER_MISSING = 'addresses without code come first';

/** An answer of our contract about what it allows. */
const role =
  (name: keyof RoleProblems, good: string) =>
  ({ roles }: ChainAt): readonly Finding[] => {
    if (!roles || (name !== 'kind' && roles.kind.length > 0))
      return [{ verdict: 'skipped', found: roles ? 'the contract is of another kind' : AFTER_MISSING }];
    return unless(roles[name], good);
  };

export const CONTRACT: readonly Check<ChainAt>[] = [
  {
    name: 'code',
    look: ({ missing }) => unless(missing, 'there is a contract at every configured address'),
  },
  {
    name: 'kinds',
    look: async ({ config, chain, block, missing }) =>
      missing.length > 0
        ? { verdict: 'skipped', found: AFTER_MISSING }
        : unless(
            await readAt(chain, kindsRead(config), block.hash),
            'factories, lenders and wrappers are what the configuration calls them',
          ),
  },
  { name: 'our contract', look: role('kind', 'it answers as a Chimera contract does') },
  { name: 'executor', look: role('executor', 'the wallet is one of its executors') },
  { name: 'pause', look: role('paused', 'it is not paused') },
  { name: 'factory', look: role('factory', 'it accepts the callbacks of the configured factory') },
  { name: 'wrapped native', look: role('wrappedNative', 'it wraps the native token of this chain') },
  { name: 'allowances', look: role('listed', 'it may call every configured market, factory and lender') },
  {
    name: 'owner and treasury',
    look: async ({ config, chain, block, roles }) => {
      if (!roles || roles.kind.length > 0) return { verdict: 'skipped', found: AFTER_MISSING };
      const { chimera } = config.execution;
      const [owner, treasury] = await readAt(
        chain,
        together(words(chimera, SELECTORS.owner, 1), words(chimera, SELECTORS.treasury, 1)),
        block.hash,
      );
      return ownerFindings(chain, ...[owner, treasury].map((word) => addressOf(word?.[0] ?? 0n)));
    },
  },
  {
    name: 'simulation',
    look: async ({ config, chain, block }) =>
      unless(await checkSimulation(chain, config, block.hash), 'plans can be proved with eth_simulateV1'),
  },
  {
    name: 'blooms',
    look: async ({ chain, block }) =>
      unless(await checkBloom(chain, block), 'the newest block tells by its bloom which logs it holds'),
  },
];

async function ownerFindings(
  chain: Chain,
  owner: Address = ZERO,
  treasury: Address = ZERO,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (treasury === ZERO || treasury === owner)
    findings.push(
      warning(
        `the profit goes to ${treasury}, which is ${treasury === ZERO ? 'no account' : 'the owner too'}`,
        'let the owner call setTreasury with an account of its own',
      ),
    );
  if ((await chain.getCode(owner)) === '0x')
    findings.push(
      warning(
        `one key owns the contract: ${owner} is no contract`,
        'make a Safe the owner (docs/deploying.md): who has that key takes all that the contract ever holds',
      ),
    );
  return findings.length > 0 ? findings : [well(`owner ${owner}, treasury ${treasury}`)];
}

export const MARKETS: readonly Check<ChainAt>[] = [
  {
    name: 'markets',
    look: async ({ config, markets, block, missing }) => {
      if (missing.length > 0) return { verdict: 'skipped', found: AFTER_MISSING };
      const { wrappedNative } = chainDescription(config.network.chainId);
      const examined = await Promise.all(
        markets.map(async (market) => ({
          name: market.name,
          ...(await market.examine(block.hash, wrappedNative)),
        })),
      );
      return examined.flatMap(({ name, problems, refusal }) => {
        if (problems.length > 0) return problems.map(problemOf);
        if (refusal === undefined) return [well(`${name}: its rules are known`)];
        return [
          warning(
            refusal,
            'the bot leaves this market out; take it out of protocols, or use a version that knows it',
          ),
        ];
      });
    },
  },
  {
    name: 'first blocks',
    look: ({ config, block }) =>
      unless(historyProblems(config, block), 'the search of each market begins at a block that exists'),
  },
  {
    name: 'price of the native token',
    look: async ({ config, chain, block, markets, missing }) => {
      if (missing.length > 0) return { verdict: 'skipped', found: AFTER_MISSING };
      const feed = config.oracles.nativeUsdFeed;
      const { wrappedNative } = chainDescription(config.network.chainId);
      const [facts, ...found] = await Promise.all([
        readAt(chain, feedFactsRead(feed), block.hash),
        ...markets.map((market) => market.examine(block.hash, wrappedNative)),
      ]);
      const sentence = feedProblem(
        feed,
        facts,
        found.flatMap(({ priceUsd8 }) => priceUsd8 ?? []),
      );
      if (sentence !== undefined) return problemOf(sentence);
      return well(
        `${facts.description}: ${formatUnits(facts.round?.answer ?? 0n, 8)} USD, as the markets have it`,
      );
    },
  },
  {
    name: 'age of the price',
    look: async ({ config: { oracles }, chain, block, missing }) => {
      if (missing.length > 0) return { verdict: 'skipped', found: AFTER_MISSING };
      const { round } = await readAt(chain, feedFactsRead(oracles.nativeUsdFeed), block.hash);
      if (!round)
        return problem('oracles.nativeUsdFeed does not answer', 'name the feed of the native token in USD');
      const age = block.timestamp - round.updatedAt;
      const found = `the feed of the native token was written ${age} s ago`;
      return age <= oracles.maxAgeSeconds
        ? well(found)
        : problem(
            found,
            `see whether the feed still works; oracles.maxAgeSeconds is ${oracles.maxAgeSeconds}`,
          );
    },
  },
  {
    name: 'kind of the feed',
    look: async ({ config: { oracles }, chain, block }) => {
      const natures = await feedNatures(chain, [oracles.nativeUsdFeed], block.hash);
      const nature = natures.get(oracles.nativeUsdFeed);
      const found = `the feed of the native token is ${nature?.kind === undefined ? 'unknown' : nature.kind}`;
      return well(nature?.type === undefined ? found : `${found} (${nature.type})`);
    },
  },
];
