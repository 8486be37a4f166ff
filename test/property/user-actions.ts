import { MaxUint256 } from 'ethers';
import { WAD } from '../../src/domain/money.js';
import type { Call } from './cast.js';
import type { ChainAccount, ChainLeg } from './chain-side.js';
import type { Situation, WeightedKind } from './situation.js';

const VARIABLE_RATE = 2;
const EMODES = 3;

const supplies = ({ scaledSupply }: ChainLeg): boolean => scaledSupply > 0n;
const owes = ({ scaledDebt }: ChainLeg): boolean => scaledDebt > 0n;
const usable = ({ reserve }: ChainLeg): boolean => !reserve.paused;
const open = ({ reserve }: ChainLeg): boolean => !reserve.paused && !reserve.frozen;
const lendable = ({ reserve }: ChainLeg): boolean => !reserve.paused && !reserve.frozen && reserve.borrowable;
const canBorrow = ({ data }: ChainAccount): boolean => (data?.availableUsd8 ?? 0n) > 0n;
const belowOne = ({ data }: ChainAccount): boolean => data !== undefined && data.healthFactorWad < WAD;

/** What users do with a lending market. Aave refuses some of it: a refused action must change nothing. */
export const USER_ACTIONS: readonly WeightedKind[] = [
  {
    name: 'supply',
    weight: 14,
    make: (here) => {
      const [actor, reserve] = [here.anyone(), here.reserve()];
      return reserve && [here.pool(actor, 'supply', reserve.asset, here.someUnits(reserve), actor, 0)];
    },
  },
  {
    name: 'supply for another',
    weight: 3,
    make: (here) => {
      const [actor, reserve] = [here.anyone(), here.reserve()];
      const other = here.anyoneBut(actor);
      return reserve && [here.pool(actor, 'supply', reserve.asset, here.someUnits(reserve), other, 0)];
    },
  },
  {
    name: 'withdraw',
    weight: 8,
    make: (here) => {
      const found = here.leg(supplies);
      if (!found) return undefined;
      const [{ address }, leg] = found;
      const to = here.random.chance(0.8) ? address : here.anyone();
      return [here.pool(address, 'withdraw', leg.reserve.asset, here.part(here.supplied(leg)), to)];
    },
  },
  {
    name: 'withdraw all',
    weight: 4,
    make: (here) => {
      const found = here.leg((leg) => supplies(leg) && usable(leg));
      if (!found) return undefined;
      const [{ address }, { reserve }] = found;
      return [here.pool(address, 'withdraw', reserve.asset, MaxUint256, address)];
    },
  },
  {
    name: 'borrow',
    weight: 18,
    make: (here) => {
      const found = here.leg((leg, account) => lendable(leg) && canBorrow(account)) ?? here.leg(() => true);
      if (!found) return undefined;
      const [account, { reserve }] = found;
      return [borrow(here, account, reserve.asset, here.loan(reserve, account))];
    },
  },
  {
    name: 'borrow on behalf',
    weight: 4,
    make: (here) => {
      const found = here.leg((leg, account) => lendable(leg) && canBorrow(account));
      if (!found) return undefined;
      const [account, { reserve }] = found;
      const amount = here.loan(reserve, account);
      const other = here.anyoneBut(account.address);
      const { asset, variableDebtToken } = reserve;
      return [
        here.token(account.address, variableDebtToken, 'approveDelegation', other, amount),
        here.pool(other, 'borrow', asset, amount, VARIABLE_RATE, 0, account.address),
      ];
    },
  },
  {
    name: 'supply and borrow',
    weight: 10,
    make: (here) => {
      const found = here.leg(lendable);
      const collateral = here.pick(here.reserves.filter((reserve) => !reserve.paused));
      if (!found || !collateral) return undefined;
      const [account, { reserve }] = found;
      const usd = here.random.magnitude(50, 1_000_000);
      const { address } = account;
      return [
        here.pool(address, 'supply', collateral.asset, here.worth(collateral, usd), address, 0),
        borrow(here, account, reserve.asset, here.worth(reserve, usd * here.random.between(0.4, 0.9))),
      ];
    },
  },
  {
    name: 'repay',
    weight: 7,
    make: (here) => {
      const found = here.leg(owes);
      if (!found) return undefined;
      const [{ address }, leg] = found;
      const amount = here.partOrMax(here.owed(leg));
      return [here.pool(address, 'repay', leg.reserve.asset, amount, VARIABLE_RATE, address)];
    },
  },
  {
    name: 'repay for another',
    weight: 3,
    make: (here) => {
      const found = here.leg(owes);
      if (!found) return undefined;
      const [{ address }, leg] = found;
      const [payer, amount] = [here.anyoneBut(address), here.part(here.owed(leg))];
      return [here.pool(payer, 'repay', leg.reserve.asset, amount, VARIABLE_RATE, address)];
    },
  },
  {
    name: 'repay with aTokens',
    weight: 4,
    make: (here) => {
      const both = here.leg((leg) => owes(leg) && supplies(leg));
      const found = both ?? here.leg((leg) => owes(leg) && open(leg));
      if (!found) return undefined;
      const [{ address }, leg] = found;
      const { asset } = leg.reserve;
      const supply = here.pool(address, 'supply', asset, here.part(here.owed(leg)), address, 0);
      const repay = here.pool(
        address,
        'repayWithATokens',
        asset,
        here.partOrMax(here.owed(leg)),
        VARIABLE_RATE,
      );
      return both && here.random.chance(0.7) ? [repay] : [supply, repay];
    },
  },
  {
    name: 'repay all and borrow again',
    weight: 3,
    make: (here) => {
      const found = here.leg((leg) => owes(leg) && lendable(leg));
      if (!found) return undefined;
      const [account, leg] = found;
      const { asset } = leg.reserve;
      const part = (here.owed(leg) * BigInt(here.random.integer(1, 100))) / 100n + 1n;
      return [
        here.pool(account.address, 'repay', asset, MaxUint256, VARIABLE_RATE, account.address),
        borrow(here, account, asset, part),
      ];
    },
  },
  { name: 'transfer', weight: 5, make: (here) => transfer(here, (leg) => here.part(here.supplied(leg))) },
  { name: 'transfer all', weight: 3, make: (here) => transfer(here, (leg) => here.supplied(leg)) },
  {
    name: 'transfer to oneself',
    weight: 2,
    make: (here) => {
      const found = here.leg((leg) => supplies(leg) && usable(leg));
      if (!found) return undefined;
      const [{ address }, leg] = found;
      const amount = here.random.chance(0.5) ? here.supplied(leg) : here.part(here.supplied(leg));
      return [here.token(address, leg.reserve.aToken, 'transfer', address, amount)];
    },
  },
  {
    name: 'transfer to a newcomer',
    weight: 3,
    make: (here) => {
      const found = here.leg((leg) => supplies(leg) && usable(leg));
      if (!found) return undefined;
      const [{ address }, leg] = found;
      const { id, aToken } = leg.reserve;
      const newcomer = here.pick(
        here.actors(({ legs }) => legs.some((one) => one.reserve.id === id && !supplies(one))),
      );
      const amount = here.part(here.supplied(leg) / 10n);
      return newcomer && [here.token(address, aToken, 'transfer', newcomer.address, amount)];
    },
  },
  {
    name: 'transfer by another',
    weight: 2,
    make: (here) => {
      const found = here.leg((leg) => supplies(leg) && usable(leg));
      if (!found) return undefined;
      const [{ address }, leg] = found;
      const amount = here.part(here.supplied(leg) / 5n);
      const other = here.anyoneBut(address);
      return [
        here.token(address, leg.reserve.aToken, 'approve', other, MaxUint256),
        here.token(other, leg.reserve.aToken, 'transferFrom', address, here.anyone(), amount),
      ];
    },
  },
  {
    name: 'collateral off',
    weight: 4,
    make: (here) => flag(here, (leg) => supplies(leg) && leg.usedAsCollateral, false),
  },
  {
    name: 'collateral on',
    weight: 4,
    make: (here) => flag(here, (leg) => supplies(leg) && !leg.usedAsCollateral, true),
  },
  {
    name: 'supply, then collateral off and on',
    weight: 3,
    make: (here) => {
      const found = here.leg((leg) => open(leg) && !supplies(leg));
      if (!found) return undefined;
      const [{ address }, { reserve }] = found;
      const { asset } = reserve;
      const use = (on: boolean): Call => here.pool(address, 'setUserUseReserveAsCollateral', asset, on);
      return [
        here.pool(address, 'supply', asset, here.someUnits(reserve), address, 0),
        use(false),
        ...(here.random.chance(0.5) ? [use(true)] : []),
      ];
    },
  },
  {
    name: 'e-mode',
    weight: 6,
    make: (here) => {
      const category = here.random.integer(0, EMODES);
      return [here.pool(here.anyone(), 'setUserEMode', category)];
    },
  },
  {
    name: 'position manager',
    weight: 2,
    make: (here) => {
      const found = here.leg(supplies);
      if (!found) return undefined;
      const [{ address }, { reserve, usedAsCollateral }] = found;
      const manager = here.anyoneBut(address);
      const category = here.random.integer(0, EMODES);
      return [
        here.pool(address, 'approvePositionManager', manager, true),
        here.random.chance(0.5)
          ? here.pool(
              manager,
              'setUserUseReserveAsCollateralOnBehalfOf',
              reserve.asset,
              !usedAsCollateral,
              address,
            )
          : here.pool(manager, 'setUserEModeOnBehalfOf', category, address),
      ];
    },
  },
  { name: 'liquidate', weight: 12, make: (here) => liquidate(here, false) },
  { name: 'liquidate for aTokens', weight: 6, make: (here) => liquidate(here, true) },
  {
    name: 'flash loan',
    weight: 2,
    make: (here) => {
      const reserve = here.reserve();
      if (!reserve) return undefined;
      const amount = here.someUnits(reserve);
      return [
        here.pool(here.anyone(), 'flashLoanSimple', here.cast.flashReceiver, reserve.asset, amount, '0x', 0),
      ];
    },
  },
  {
    name: 'flash loan into debt',
    weight: 3,
    make: (here) => {
      const found = here.leg((leg, account) => lendable(leg) && canBorrow(account));
      if (!found) return undefined;
      const [account, { reserve }] = found;
      const amount = here.loan(reserve, account);
      const { flashReceiver } = here.cast;
      const { address } = account;
      return [
        here.pool(
          address,
          'flashLoan',
          flashReceiver,
          [reserve.asset],
          [amount],
          [VARIABLE_RATE],
          address,
          '0x',
          0,
        ),
      ];
    },
  },
  {
    name: 'mint to treasury',
    weight: 2,
    make: (here) => [
      here.pool(
        here.anyone(),
        'mintToTreasury',
        here.reserves.map(({ asset }) => asset),
      ),
    ],
  },
];

function borrow(here: Situation, { address }: ChainAccount, asset: string, amount: bigint): Call {
  return here.pool(address, 'borrow', asset, amount, VARIABLE_RATE, 0, address);
}

function transfer(here: Situation, amountOf: (leg: ChainLeg) => bigint): Call[] | undefined {
  const found = here.leg((leg) => supplies(leg) && usable(leg));
  if (!found) return undefined;
  const [{ address }, leg] = found;
  return [here.token(address, leg.reserve.aToken, 'transfer', here.anyone(), amountOf(leg))];
}

function flag(here: Situation, suits: (leg: ChainLeg) => boolean, on: boolean): Call[] | undefined {
  const found = here.leg((leg) => suits(leg) && usable(leg));
  if (!found) return undefined;
  const [{ address }, { reserve }] = found;
  return [here.pool(address, 'setUserUseReserveAsCollateral', reserve.asset, on)];
}

function liquidate(here: Situation, receiveAToken: boolean): Call[] | undefined {
  const borrower = here.pick(here.actors(belowOne));
  const debt = here.pick(borrower?.legs.filter(owes) ?? []);
  const collateral = here.pick(borrower?.legs.filter((leg) => supplies(leg) && leg.usedAsCollateral) ?? []);
  if (!borrower || !debt || !collateral) return undefined;
  const amount = here.random.chance(0.5) ? MaxUint256 : here.part(here.owed(debt));
  return [
    here.pool(
      here.anyoneBut(borrower.address),
      'liquidationCall',
      collateral.reserve.asset,
      debt.reserve.asset,
      borrower.address,
      amount,
      receiveAToken,
    ),
  ];
}
