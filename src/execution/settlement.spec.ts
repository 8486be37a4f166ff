import { Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { aPlan } from '../../testing/builders/plan.js';
import type { Address, Hash } from '../domain/hex.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import { CHIMERA_ABI } from '../contract/bindings.js';
import { feesPaid, proofOf } from './settlement.js';
import { termsOfRow, type SettlementTerms } from './settlement-terms.js';

const USD = 10n ** 8n;
const address = (byte: string): Address => `0x${byte.repeat(20)}`;
const hash = (byte: string): Hash => `0x${byte.repeat(32)}`;
const CHIMERA = address('c4');
const [MARKET, BORROWER, WETH, USDC] = [address('aa'), address('bb'), address('c0'), address('de')];
const NO_FEES = { l1Fee: 0n, operatorFee: 0n };

const terms: SettlementTerms = {
  protocol: 'aave',
  market: MARKET,
  borrower: BORROWER,
  profitAsset: { address: WETH, decimals: 18, priceUsd8: 2_000n * USD },
  nativePriceUsd8: 2_000n * USD,
  notionalUsd8: 100n * USD,
  grossProfitUsd8: 20n * USD,
  netProfitUsd8: 19n * USD,
  gasUsed: 450_000n,
  baseFeePerGasWei: 10n ** 6n,
  deadline: 1_800_000_000,
  planBlock: 41,
};

interface EventValues {
  readonly emitter?: Address;
  readonly market?: Address;
  readonly borrower?: Address;
  readonly collateral?: Address;
  readonly profitToken?: Address;
  readonly profit?: bigint;
}

function receiptOf(status: Receipt['status'], ...events: EventValues[]): Receipt {
  const logs = events.map((event, logIndex) => {
    const {
      emitter = CHIMERA,
      market = MARKET,
      borrower = BORROWER,
      collateral = WETH,
      profitToken = collateral,
      profit = 10n ** 16n,
    } = event;
    const values = [market, borrower, collateral, USDC, 5n, 7n, profitToken, profit];
    const { topics, data } = new Interface(CHIMERA_ABI).encodeEventLog('Liquidated', values);
    return {
      address: emitter,
      topics: topics.map((topic): Hash => `0x${topic.slice(2)}`),
      data: `0x${data.slice(2)}` as const,
      blockNumber: 7,
      blockHash: hash('07'),
      transactionHash: hash('01'),
      logIndex,
    };
  });
  return {
    transactionHash: hash('01'),
    blockHash: hash('07'),
    blockNumber: 7,
    transactionIndex: 0,
    status,
    from: address('0e'),
    to: CHIMERA,
    gasUsed: 400_000n,
    effectiveGasPrice: 10n ** 9n,
    l1Fee: undefined,
    logs,
  };
}

describe('proofOf', () => {
  it('values profit and fees at the prices of the plan: profit rounded down, fees up', () => {
    // 0.01 WETH at $2,000 is $20; 400,000 gas at 1 gwei is 0.0004 ETH, $0.80; the L1 fee of 1 wei costs 10^-8
    // dollars.
    const outcome = proofOf(receiptOf('success', {}), terms, CHIMERA, { l1Fee: 1n, operatorFee: 0n });
    expect(outcome).toEqual({
      kind: 'succeeded',
      debtCovered: 5n,
      collateralSeized: 7n,
      profit: 10n ** 16n,
      feesWei: 400_000n * 10n ** 9n + 1n,
      besideGas: { l1Fee: 1n, operatorFee: 0n },
      realisedProfitUsd8: 20n * USD - (80n * USD) / 100n - 1n,
    });
  });

  it('counts the operator fee', () => {
    const outcome = proofOf(receiptOf('success', {}), terms, CHIMERA, {
      l1Fee: 0n,
      operatorFee: 10n ** 15n,
    });
    expect(outcome.realisedProfitUsd8).toBe(20n * USD - (80n * USD) / 100n - 2n * USD);
  });

  it('finds the event of its own borrower among other events', () => {
    const others = [
      { borrower: address('b2'), profit: 1n },
      { emitter: address('ee'), profit: 2n },
    ];
    const outcome = proofOf(receiptOf('success', ...others, {}), terms, CHIMERA, NO_FEES);
    expect(outcome).toMatchObject({ kind: 'succeeded', profit: 10n ** 16n });
  });

  it.each<[string, EventValues]>([
    ['another contract', { emitter: address('ee') }],
    ['another borrower', { borrower: address('b2') }],
    ['another market', { market: address('a2') }],
    ['another collateral', { collateral: address('c2') }],
  ])('does not take the event of %s for a success', (_, event) => {
    const outcome = proofOf(receiptOf('success', event), terms, CHIMERA, NO_FEES);
    expect(outcome).toEqual({
      kind: 'no-event',
      feesWei: 400_000n * 10n ** 9n,
      besideGas: NO_FEES,
      realisedProfitUsd8: (-80n * USD) / 100n,
    });
  });

  describe('of several liquidations in one transaction', () => {
    const usdc = { address: USDC, decimals: 6, priceUsd8: USD };
    const several: SettlementTerms = {
      ...terms,
      several: { collateralAsset: WETH, debtAsset: USDC, furtherProfitAssets: [usdc, terms.profitAsset] },
    };

    it('all are worth something, each in its own token; amounts are of the tokens of the first', () => {
      const receipt = receiptOf(
        ...(['success', {}] as const),
        { profitToken: USDC, profit: 3_000_000n },
        { profit: 10n ** 16n },
        { borrower: address('b2') },
      );
      expect(proofOf(receipt, several, CHIMERA, NO_FEES)).toMatchObject({
        kind: 'succeeded',
        debtCovered: 15n,
        collateralSeized: 21n,
        profit: 2n * 10n ** 16n,
        realisedProfitUsd8: 43n * USD - (80n * USD) / 100n,
        items: [{ profitToken: WETH }, { profitToken: USDC, profit: 3_000_000n }, { profitToken: WETH }],
      });
    });

    it('one that failed alone brought nothing, and its reason is kept', () => {
      const receipt = receiptOf('success', {});
      const reason = new Interface(CHIMERA_ABI).encodeErrorResult('ProfitBelowFloor', [1n, 2n]);
      const failed = new Interface(CHIMERA_ABI).encodeEventLog('LiquidationFailed', [1n, BORROWER, reason]);
      const log = {
        ...receipt.logs[0]!,
        topics: failed.topics.map((topic): Hash => `0x${topic.slice(2)}`),
        data: `0x${failed.data.slice(2)}` as const,
      };
      const proof = proofOf({ ...receipt, logs: [...receipt.logs, log] }, several, CHIMERA, NO_FEES);
      expect(proof).toMatchObject({
        kind: 'succeeded',
        profit: 10n ** 16n,
        items: [{ debtCovered: 5n }, { failed: 'ProfitBelowFloor(1, 2)' }],
        realisedProfitUsd8: 20n * USD - (80n * USD) / 100n,
      });
      expect(proofOf({ ...receipt, logs: [log] }, several, CHIMERA, NO_FEES)).toMatchObject({
        kind: 'no-event',
      });
    });

    it('the terms are read back from the row of the plan', () => {
      const asset = (one: SettlementTerms['profitAsset']): object => ({
        ...{ address: one.address, decimals: one.decimals, priceUsd8: String(one.priceUsd8) },
      });
      const step = { profitAsset: asset(usdc) };
      const plan = aPlan();
      const texts: unknown = JSON.parse(
        JSON.stringify({ ...plan, further: [step] }, (_, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        ),
      );
      const row = { id: '1', plan: texts, protocol: 'aave', blockNumber: 41 };
      expect(termsOfRow(row).several).toEqual({
        collateralAsset: plan.candidate.collateral.address,
        debtAsset: plan.candidate.debt.address,
        furtherProfitAssets: [usdc],
      });
    });
  });

  it('a sale earns debt tokens, at their price', () => {
    const sale = { ...terms, profitAsset: { address: USDC, decimals: 6, priceUsd8: USD } };
    const receipt = receiptOf('success', { profitToken: USDC, profit: 12_345_678n });
    const realisedProfitUsd8 = 1_234_567_800n - (80n * USD) / 100n;
    expect(proofOf(receipt, sale, CHIMERA, NO_FEES)).toMatchObject({ kind: 'succeeded', realisedProfitUsd8 });
    // Collateral that came in its place is not the profit of this plan.
    expect(proofOf(receiptOf('success', {}), sale, CHIMERA, NO_FEES)).toMatchObject({ kind: 'no-event' });
  });

  it('a revert costs its fees, even when its receipt holds an event of success', () => {
    expect(proofOf(receiptOf('reverted', {}), terms, CHIMERA, NO_FEES)).toMatchObject({
      kind: 'reverted',
      realisedProfitUsd8: (-80n * USD) / 100n,
    });
  });
});

describe('feesPaid', () => {
  const receipt = { gasUsed: 100n, effectiveGasPrice: 30n };
  const beside = { l1Fee: 7n, operatorFee: 2n };

  it('tells the bid from the rest of the gas price; together they are what was paid', () => {
    expect(feesPaid(receipt, beside, 20n)).toEqual({
      ...{ gasWei: '1000', bidWei: '2000', l1Wei: '7', operatorWei: '2' },
    });
  });

  it('a bid that the gas price had no room for is no more than the gas price', () => {
    expect(feesPaid(receipt, beside, 50n)).toMatchObject({ gasWei: '0', bidWei: '3000' });
  });
});

describe('termsOfRow', () => {
  const stored = {
    market: MARKET,
    borrower: BORROWER,
    candidate: { collateral: { address: WETH, decimals: 18, priceUsd8: '200000000000', symbol: 'WETH' } },
    nativePriceUsd8: '200000000000',
    notionalUsd8: '10000000000',
    grossProfitUsd8: '2000000000',
    netProfitUsd8: '1900000000',
    simulation: { gasUsed: '450000' },
    block: { baseFeePerGas: '1000000' },
    deadline: 1_800_000_000,
  };

  it('reads the token of the profit, of a row that names it', () => {
    const profitAsset = { address: USDC, decimals: 6, priceUsd8: '100000000', symbol: 'USDC' };
    const { profitAsset: read } = termsOfRow({
      ...{ id: '7', plan: { ...stored, profitAsset }, protocol: 'aave', blockNumber: 41 },
    });
    expect(read).toEqual({ address: USDC, decimals: 6, priceUsd8: USD });
  });

  it('reads the terms back from the plan of a row of an earlier version, with its profit in collateral', () => {
    expect(termsOfRow({ id: '7', plan: stored, protocol: 'aave', blockNumber: 41 })).toEqual(terms);
  });

  it('reads which market of the contract it was, of a row that names it', () => {
    const marketId = hash('3d');
    const row = { id: '7', plan: { ...stored, marketId }, protocol: 'morpho', blockNumber: 41 };
    expect(termsOfRow(row)).toEqual({ ...terms, protocol: 'morpho', marketId });
  });

  it.each([
    ['nothing', null],
    ['a price that is a float', { ...stored, nativePriceUsd8: 2000.5 }],
    ['a price that is no number', { ...stored, nativePriceUsd8: '0x10' }],
    ['no collateral', { ...stored, candidate: {} }],
    ['a broken market', { ...stored, marketId: '0x3d' }],
    ['a broken address', { ...stored, borrower: '0x1234' }],
    ['a deadline as text', { ...stored, deadline: '1800000000' }],
  ])('halts on %s, naming the row', (_, plan) => {
    expect(() => termsOfRow({ id: '7', plan, protocol: 'aave', blockNumber: 41 })).toThrow(
      /^the plan of execution 7 cannot be read back: /,
    );
  });
});
