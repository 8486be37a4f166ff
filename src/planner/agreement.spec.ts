import { describe, expect, it } from 'vitest';
import { uintWord, type Hex } from '../domain/hex.js';
import type { FeesBesideGas } from '../domain/costs.js';
import { USD8 } from '../domain/money.js';
import { agreedPrice, proofOf, type Witness, type Proof } from './agreement.js';

const ETHER = 10n ** 18n;
const BLOCK = { number: 7, timestamp: 1_700_000_000, baseFeePerGas: 5_000_000n };
const PRICE = 2_500n * USD8;

interface Said {
  readonly debtCovered?: bigint;
  readonly collateralSeized?: bigint;
  readonly profit?: bigint;
  readonly gasUsed?: bigint;
  readonly l1Fee?: bigint;
  readonly operatorFee?: bigint;
  readonly revert?: Hex;
}

function witness(name: string, said: Said = {}, world: Partial<Witness> = {}): Witness {
  const { debtCovered = 1_000_000_000n, collateralSeized = ETHER, profit = ETHER / 10n } = said;
  const { gasUsed = 450_000n, l1Fee = 10n ** 12n, operatorFee = 5_000n, revert } = said;
  const outcome: Hex = `0x${[debtCovered, collateralSeized, 0n, 0n, 0n, 0n, profit, 0n].map(uintWord).join('')}`;
  return {
    name,
    block: BLOCK,
    nativePriceUsd8: PRICE,
    simulated: [{ success: revert === undefined, returnData: revert ?? outcome, gasUsed, logs: [] }],
    fees: [() => ({ l1Fee, operatorFee })],
    ...world,
  };
}

const both = (said: Said): Witness[] => [witness('primary'), witness('backup', said)];
const ours = { block: BLOCK, nativePriceUsd8: PRICE };

function feesOf(proof: Proof): FeesBesideGas {
  if (proof.kind !== 'proved') throw new Error(proof.kind);
  return proof.feesOf(proof.simulation.gasUsed);
}

describe('F42 what two endpoints say of a plan', () => {
  it('is a proof when they say the same', () => {
    const proof = proofOf(both({}), 0);
    expect(proof).toMatchObject({
      kind: 'proved',
      simulation: { profit: ETHER / 10n, collateralSeized: ETHER, flashFee: 0n, gasUsed: 450_000n },
    });
    expect(feesOf(proof)).toEqual({ l1Fee: 10n ** 12n, operatorFee: 5_000n });
  });

  it('of several liquidations each has its own outcome, and the first the gas of all', () => {
    const outcome = (profit: bigint, gas: bigint): bigint[] => [9n, 8n, 0n, 0n, 0n, 0n, profit, gas];
    const saying = (...outcomes: bigint[][]): Witness => {
      const words = [32n, BigInt(outcomes.length), ...outcomes.flat()];
      const returnData: Hex = `0x${words.map(uintWord).join('')}`;
      return witness(
        'primary',
        {},
        { simulated: [{ success: true, returnData, gasUsed: 700_000n, logs: [] }] },
      );
    };
    const two = saying(outcome(5n, 300_000n), outcome(6n, 250_000n));
    expect(proofOf([two], 0, 2)).toMatchObject({
      kind: 'proved',
      simulation: { profit: 5n, gasUsed: 700_000n },
      further: [{ profit: 6n, gasUsed: 250_000n }],
      gasOfSteps: [300_000n, 250_000n],
    });
    const other = { ...saying(outcome(5n, 300_000n), outcome(60n, 250_000n)), name: 'backup' };
    expect(proofOf([two, other], 0, 2)).toMatchObject({
      reason: 'endpoints-disagree',
      detail: { about: 'profit' },
    });
    const nothing = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n];
    expect(proofOf([saying(outcome(5n, 300_000n), nothing)], 0, 2)).toMatchObject({
      reason: 'simulation-reverted',
      detail: { revert: 'liquidation 2 of 2 failed alone' },
    });
    expect(proofOf([saying(outcome(5n, 300_000n))], 0, 2)).toMatchObject({ reason: 'simulation-reverted' });
  });

  it('is the less favourable of each number when they differ by some seconds of interest', () => {
    const said = { debtCovered: 1_000_000_001n, collateralSeized: ETHER - 2n, profit: ETHER / 10n - 3n };
    const proof = proofOf(both({ ...said, gasUsed: 450_100n, l1Fee: 10n ** 12n + 1n }), 0);
    expect(proof).toMatchObject({ simulation: { ...said, gasUsed: 450_100n } });
    expect(feesOf(proof)).toMatchObject({ l1Fee: 10n ** 12n + 1n });
    expect(proofOf([witness('primary', said), witness('backup')], 0)).toMatchObject({ simulation: said });
  });

  it.each<[keyof Said, Said]>([
    ['profit', { profit: ETHER / 5n }],
    ['profit', { profit: 0n }],
    ['profit', { profit: ETHER / 10n + ETHER / 5_000n }],
    ['debtCovered', { debtCovered: 2_000_000_000n }],
    ['collateralSeized', { collateralSeized: 2n * ETHER }],
    ['gasUsed', { gasUsed: 1n }],
    ['gasUsed', { gasUsed: 30_000_000n }],
    ['l1Fee', { l1Fee: 0n }],
    ['l1Fee', { l1Fee: 10n ** 20n }],
    ['operatorFee', { operatorFee: 10n ** 20n }],
  ])('is a refusal that names %s when one of them invents it: %o', (about, said) => {
    for (const witnesses of [both(said), both(said).reverse()])
      expect(proofOf(witnesses, 0)).toMatchObject({
        reason: 'endpoints-disagree',
        detail: { about, primary: expect.any(String) as string, backup: expect.any(String) as string },
      });
  });

  it('lacks a fee where one of them could not be read, and is to be made again', () => {
    const lacking = witness('backup', {}, { fees: [undefined] });
    expect(proofOf([witness('primary'), lacking], 0)).toEqual({ kind: 'lacks-fees' });
  });

  it('F09 is a refusal when one of them says that the call reverts', () => {
    expect(proofOf(both({ revert: '0x6d1a9eb5' }), 0)).toMatchObject({
      reason: 'endpoints-disagree',
      detail: { about: 'revert', primary: 'succeeds', backup: 'unknown error 0x6d1a9eb5' },
    });
  });

  it('is a revert when both say so', () => {
    const witnesses = [witness('primary', { revert: '0x01020304' }), witness('backup', { revert: '0x' })];
    expect(proofOf(witnesses, 0)).toMatchObject({ kind: 'reverts', data: '0x01020304' });
  });

  it('is no proof when one of them leaves the outcome out', () => {
    const [primary, backup] = both({});
    const silent = { ...backup!, simulated: [{ ...backup!.simulated[0]!, returnData: '0x' as const }] };
    expect(proofOf([primary!, silent], 0)).toMatchObject({ reason: 'simulation-reverted' });
  });

  it('F43 is no proof when the only endpoint gives a profit of 2^256-1', () => {
    expect(proofOf([witness('endpoint', { profit: 2n ** 256n - 1n })], 0)).toMatchObject({
      reason: 'simulation-reverted',
      detail: { revert: 'the node gave an outcome out of its range' },
    });
  });

  it('is enough from one endpoint, where only one is configured', () => {
    expect(proofOf([witness('endpoint')], 0)).toMatchObject({ kind: 'proved' });
  });
});

describe('F42 what all plans of a block stand on', () => {
  it('is the price that both say', () => {
    expect(agreedPrice(both({}), ours)).toBe(PRICE);
  });

  it('is the higher price when our own differs a little', () => {
    for (const own of [PRICE + 1n, PRICE - 1n])
      expect(agreedPrice(both({}), { ...ours, nativePriceUsd8: own })).toBe(own > PRICE ? own : PRICE);
  });

  it('is a refusal when the prices of two endpoints differ at one block, however little', () => {
    const liar = witness('backup', {}, { nativePriceUsd8: PRICE - 1n });
    expect(agreedPrice([witness('primary'), liar], ours)).toMatchObject({
      reason: 'endpoints-disagree',
      detail: { about: 'nativePriceUsd8', ours: String(PRICE), backup: String(PRICE - 1n) },
    });
  });

  it('is the last price that both said when both say that its feed gives none now; a refusal without one', () => {
    const none = [witness('primary', {}, { nativePriceUsd8: undefined })];
    none.push({ ...none[0]!, name: 'backup' });
    expect(agreedPrice(none, { ...ours, nativePriceConfirmed: true })).toBe(PRICE);
    expect(agreedPrice(none, ours)).toMatchObject({ reason: 'price-missing', detail: { asset: 'native' } });
  });

  it('is a refusal when one of them says that its feed gives none', () => {
    for (const witnesses of [both({}), both({}).reverse()]) {
      const silent = { ...witnesses[0]!, nativePriceUsd8: undefined };
      expect(agreedPrice([silent, witnesses[1]!], { ...ours, nativePriceConfirmed: true })).toMatchObject({
        reason: 'endpoints-disagree',
        detail: { about: 'nativePriceUsd8', [silent.name]: 'none' },
      });
    }
  });

  it('is a refusal when our own price is another one', () => {
    expect(agreedPrice(both({}), { ...ours, nativePriceUsd8: 1_000_000n })).toMatchObject({
      detail: { about: 'nativePriceUsd8', ours: '1000000' },
    });
  });

  it.each(['number', 'timestamp', 'baseFeePerGas'] as const)(
    'is a refusal when one header has another %s under the same hash',
    (field) => {
      const liar = witness('backup', {}, { block: { ...BLOCK, [field]: BigInt(BLOCK[field]) + 1n } });
      expect(agreedPrice([witness('primary'), liar], ours)).toMatchObject({
        reason: 'endpoints-disagree',
        detail: { about: field },
      });
    },
  );
});
