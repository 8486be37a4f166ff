import { AbiCoder, MaxUint256 } from 'ethers';
import type { Address } from '../../src/domain/hex.js';
import { callOf, type Call, type Token } from './cast.js';
import type { ChainLeg, ChainReserve } from './chain-side.js';
import type { Kind, Situation, WeightedKind } from './situation.js';

const LABEL = 'category';
const EMODES = 3;

export const PRICE_MOVES: readonly WeightedKind[] = [
  { name: 'price drift', weight: 3, make: (here) => price(here, 0.04) },
  { name: 'price jump', weight: 1, make: (here) => price(here, 0.5) },
  {
    name: 'crash for one block',
    weight: 1,
    make: (here) => {
      const backs = ({ usedAsCollateral, scaledSupply }: ChainLeg): boolean =>
        usedAsCollateral && scaledSupply > 0n;
      const found = here.leg((leg, { legs }) => {
        const others = legs.filter((other) => other !== leg);
        return backs(leg) && !others.some(backs) && others.some(({ scaledDebt }) => scaledDebt > 0n);
      });
      if (!found) return undefined;
      const [{ address, legs }, collateral] = found;
      const debt = here.pick(legs.filter((leg) => leg !== collateral && leg.scaledDebt > 0n));
      const price = collateral.reserve.priceUsd8;
      if (!debt || price === undefined) return undefined;
      const { aggregators } = here.tokenOf(collateral.reserve);
      const { asset } = collateral.reserve;
      // Its only collateral covers next to nothing: the rest of the debt is bad debt.
      return [
        ...answers(here, aggregators, price / 100n + 1n),
        here.pool(
          here.anyoneBut(address),
          'liquidationCall',
          asset,
          debt.reserve.asset,
          address,
          MaxUint256,
          here.random.chance(0.5),
        ),
        ...answers(here, aggregators, price),
      ];
    },
  },
];

/** Changes by the market's owner, and failures that last for a while. */
export const CHANGES: readonly Kind[] = [
  {
    name: 'no price',
    make: (here) => {
      // Without one for ether the native token has none either, and there is no view at all.
      const token = here.pick(here.cast.tokens.filter(({ symbol }) => symbol !== 'WETH'));
      return token && answers(here, token.aggregators, 0n);
    },
  },
  {
    name: 'other oracle source',
    make: (here) => {
      const reserve = here.reserve();
      if (!reserve) return undefined;
      const { asset, sources } = here.tokenOf(reserve);
      return [oracle(here, 'setAssetSources', [asset], [here.pick(sources)])];
    },
  },
  {
    name: 'other aggregator behind the feed',
    make: (here) => {
      const token = here.pick(here.cast.tokens.filter(({ proxy }) => proxy));
      if (!token?.proxy) return undefined;
      const next = here.pick(token.aggregators);
      return [
        here.token(here.cast.admin, token.proxy, 'proposeAggregator', next),
        here.token(here.cast.admin, token.proxy, 'confirmAggregator', next),
      ];
    },
  },
  {
    name: 'risk parameters',
    make: (here) => {
      const reserve = here.reserve();
      const terms = riskTerms(here, 6_000, 8_800);
      return reserve && [configure(here, 'configureReserveAsCollateral', reserve.asset, ...terms)];
    },
  },
  {
    name: 'e-mode terms',
    make: (here) => {
      const category = here.random.integer(1, EMODES);
      return [configure(here, 'setEModeCategory', category, ...riskTerms(here, 8_500, 9_700), LABEL)];
    },
  },
  {
    name: 'e-mode collateral',
    make: (here) => eMode(here, 'setAssetCollateralInEMode', 0.75),
  },
  {
    name: 'e-mode borrowable',
    make: (here) => eMode(here, 'setAssetBorrowableInEMode', 0.8),
  },
  {
    name: 'e-mode collateral without ltv',
    make: (here) => {
      const [reserve, category] = [here.reserve(), here.random.integer(1, EMODES)];
      if (!reserve) return undefined;
      return [
        configure(here, 'setAssetCollateralInEMode', reserve.asset, category, true),
        configure(here, 'setAssetLtvzeroInEMode', reserve.asset, category, here.random.chance(0.5)),
      ];
    },
  },
  {
    name: 'interest rates',
    make: (here) => {
      const reserve = here.reserve();
      return reserve && [configure(here, 'setReserveInterestRateData', reserve.asset, rates(here))];
    },
  },
  {
    name: 'reserve factor',
    make: (here) => {
      const [reserve, factor] = [here.reserve(), here.random.integer(0, 5_000)];
      return reserve && [configure(here, 'setReserveFactor', reserve.asset, factor)];
    },
  },
  {
    name: 'liquidation fee',
    make: (here) => {
      const [reserve, fee] = [here.reserve(), here.random.integer(0, 3_000)];
      return reserve && [configure(here, 'setLiquidationProtocolFee', reserve.asset, fee)];
    },
  },
  {
    name: 'caps',
    make: (here) => {
      const reserve = here.reserve();
      if (!reserve) return undefined;
      const { asset } = reserve;
      // Whole tokens; 0 is none. One that is low is soon lifted again, or little would happen.
      const cap = here.random.chance(0.2) ? here.random.integer(1, 2_000) : 0;
      return [configure(here, here.random.chance(0.5) ? 'setSupplyCap' : 'setBorrowCap', asset, cap)];
    },
  },
  {
    name: 'flash loan premium',
    make: (here) => [configure(here, 'updateFlashloanPremium', here.random.integer(0, 50))],
  },
  { name: 'pause', make: (here) => onReserve(here, 'setReservePause(address,bool)', true) },
  { name: 'freeze', make: (here) => onReserve(here, 'setReserveFreeze', true) },
  { name: 'no borrowing', make: (here) => onReserve(here, 'setReserveBorrowing', false) },
  {
    name: 'pause everything for a moment',
    make: (here) => [
      configure(here, 'setPoolPause(bool)', true),
      configure(here, 'setPoolPause(bool,uint40)', false, grace(here)),
    ],
  },
  {
    name: 'listing or dropping of an unused reserve',
    make: (here) => {
      const { passing } = here.cast;
      return isListed(here, passing)
        ? [configure(here, 'dropReserve', passing.asset)]
        : listing(here, passing);
    },
  },
];

/** Actions that undo lasting changes. Each is likely in every block. */
export const REPAIRS: readonly Kind[] = [
  {
    name: 'price again',
    make: (here) => {
      const reserve = here.pick(here.reserves.filter(({ priceUsd8 }) => priceUsd8 === undefined));
      const token = reserve && here.tokenOf(reserve);
      return token && answers(here, token.aggregators, token.initialPriceUsd8);
    },
  },
  {
    name: 'unpause',
    make: (here) => {
      const reserve = here.pick(here.reserves.filter(({ paused }) => paused));
      return (
        reserve && [
          configure(here, 'setReservePause(address,bool,uint40)', reserve.asset, false, grace(here)),
        ]
      );
    },
  },
  {
    name: 'unfreeze',
    make: (here) => {
      const reserve = here.pick(here.reserves.filter(({ frozen }) => frozen));
      return (
        reserve && [
          configure(here, 'setReserveFreeze', reserve.asset, false),
          configure(here, 'setReserveLtvzero', reserve.asset, false),
        ]
      );
    },
  },
  {
    name: 'borrowing again',
    make: (here) => {
      const reserve = here.pick(here.reserves.filter(({ borrowable }) => !borrowable));
      return reserve && [configure(here, 'setReserveBorrowing', reserve.asset, true)];
    },
  },
  {
    name: 'cover a deficit',
    make: (here) => {
      const reserve = here.pick(here.reserves.filter(({ deficit }) => deficit > 0n));
      if (!reserve) return undefined;
      const { asset, deficit } = reserve;
      const { umbrella } = here.cast;
      // A little more than it takes: aTokens are rounded down.
      return [
        here.pool(umbrella, 'supply', asset, deficit + 10n, umbrella, 0),
        here.pool(umbrella, 'eliminateReserveDeficit', asset, here.part(deficit)),
      ];
    },
  },
  {
    name: 'list a reserve',
    make: (here) => {
      const token = here.cast.tokens.find((one) => !isListed(here, one));
      return token && listing(here, token);
    },
  },
];

function configure(here: Situation, method: string, ...args: unknown[]): Call {
  const { addresses, contracts } = here.cast.devnet;
  const configurator = addresses.poolConfigurator as Address;
  return callOf(here.cast.admin, configurator, contracts.poolConfigurator.interface, method, args);
}

function oracle(here: Situation, method: string, ...args: unknown[]): Call {
  const { addresses, contracts } = here.cast.devnet;
  return callOf(here.cast.admin, addresses.oracle as Address, contracts.oracle.interface, method, args);
}

/** Grace period in seconds without liquidations: mostly 0, since blocks are two seconds apart. */
const grace = ({ random }: Situation): number => (random.chance(0.3) ? random.integer(1, 60) : 0);

const isListed = (here: Situation, { asset }: Token): boolean =>
  here.side.reserves.some((reserve) => reserve.asset === asset);

function listing(here: Situation, { asset, symbol }: Token): Call[] {
  const { aToken, variableDebtToken } = here.cast.implementations;
  const names = [`Aave ${symbol}`, `a${symbol}`, `Aave Debt ${symbol}`, `d${symbol}`];
  return [
    configure(here, 'initReserves', [[aToken, variableDebtToken, asset, ...names, '0x', rates(here)]]),
    configure(here, 'configureReserveAsCollateral', asset, ...riskTerms(here, 6_000, 8_800)),
    configure(here, 'setReserveFlashLoaning', asset, true),
  ];
}

function onReserve(here: Situation, method: string, value: boolean): Call[] | undefined {
  const reserve = here.reserve();
  return reserve && [configure(here, method, reserve.asset, value)];
}

function eMode(here: Situation, method: string, allowed: number): Call[] | undefined {
  const [reserve, category] = [here.reserve(), here.random.integer(1, EMODES)];
  return reserve && [configure(here, method, reserve.asset, category, here.random.chance(allowed))];
}

/**
 * Within a share of what it is, or, when that is a large one, of what it was at the start: prices come back.
 */
function price(here: Situation, share: number): Call[] | undefined {
  const reserve: ChainReserve | undefined = here.reserve();
  if (!reserve) return undefined;
  const { initialPriceUsd8, aggregators } = here.tokenOf(reserve);
  const from = Number(share > 0.1 ? initialPriceUsd8 : (reserve.priceUsd8 ?? initialPriceUsd8));
  const answer = BigInt(Math.round(from * here.random.between(1 - share, 1 + share)));
  // When only one source changes, it may be the one that the oracle does not use at the moment.
  const [one, other] = aggregators;
  const written = here.random.chance(0.7) ? [one, other] : [here.random.chance(0.5) ? one : other];
  return answers(here, written, answer);
}

const answers = (here: Situation, aggregators: readonly Address[], answer: bigint): Call[] =>
  aggregators.map((aggregator) => here.token(here.cast.admin, aggregator, 'setAnswer', answer));

/** Loan-to-value, liquidation threshold and liquidation bonus, basis points, as Aave allows them together. */
function riskTerms({ random }: Situation, lowest: number, highest: number): [number, number, number] {
  const threshold = random.integer(lowest, highest);
  const bonus = random.integer(10_001, Math.min(11_500, Math.floor(99_990_000 / threshold)));
  return [threshold - random.integer(0, 800), threshold, bonus];
}

/** IDefaultInterestRateStrategyV2.InterestRateData, basis points. */
function rates({ random }: Situation): string {
  return AbiCoder.defaultAbiCoder().encode(
    ['tuple(uint16,uint32,uint32,uint32)'],
    [
      [
        random.integer(1_000, 8_000),
        random.integer(0, 500),
        random.integer(500, 4_000),
        random.integer(2_000, 20_000),
      ],
    ],
  );
}
