import { AbiCoder, Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { compileChimera } from '../../devnet/artifacts/artifacts.js';
import type { Hex } from '../domain/hex.js';
import { CHIMERA_ABI, OUTCOME_WORDS, SELECTORS, TOPICS, readOutcome } from './bindings.js';
import { chimeraEvents, liquidateCall, parseRevert, revertReason } from './contract.js';

const abi = new Interface(CHIMERA_ABI);
const hex = (text: string): Hex => `0x${text.slice(2)}`;
const OUTCOME = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
const NAMED = {
  debtCovered: 1n,
  collateralSeized: 2n,
  protocolFee: 3n,
  swapOutput: 4n,
  flashFee: 5n,
  bid: 6n,
  profit: 7n,
  gasUsed: 8n,
};

describe('bindings of the contract', () => {
  it('have the names, selectors and topics of the compiled contract', async () => {
    const compiled = new Interface((await compileChimera()).abi);
    const formatted = compiled.fragments
      .filter(({ type }) => type !== 'constructor' && type !== 'fallback')
      .map((fragment) => fragment.format('full'));
    expect([...CHIMERA_ABI]).toEqual(formatted.sort());
    for (const [name, selector] of Object.entries(SELECTORS))
      expect(compiled.getFunction(name)?.selector).toBe(selector);
    for (const [name, topic] of Object.entries(TOPICS))
      expect(compiled.getEvent(name)?.topicHash).toBe(topic);
  });

  it('parses each of its errors by name, with its arguments', () => {
    for (const fragment of abi.fragments) {
      if (fragment.type !== 'error') continue;
      const error = abi.getError(fragment.format('sighash'));
      if (!error) throw new Error(`no error ${fragment.format()}`);
      const zeros = AbiCoder.defaultAbiCoder().getDefaultValue(error.inputs);
      const data = hex(abi.encodeErrorResult(error, zeros));
      expect(parseRevert(data)).toMatchObject({
        kind: 'known',
        name: error.name,
        args: zeros.map(String),
        selector: error.selector,
      });
    }
  });

  it('says in words why a call reverted, whatever the data is', () => {
    expect(revertReason(hex(abi.encodeErrorResult('ProfitBelowFloor', [1n, 2n])))).toBe(
      'ProfitBelowFloor(1, 2)',
    );
    expect(revertReason(hex(abi.encodeErrorResult('NothingLiquidated', [])))).toBe('NothingLiquidated');
    expect(revertReason('0x')).toBe('no reason given');
    expect(revertReason('0xdeadbeef')).toBe('unknown error 0xdeadbeef');
    const reason = AbiCoder.defaultAbiCoder().encode(['string'], ['LOK']).slice(2);
    expect(parseRevert(`0x08c379a0${reason}`)).toMatchObject({ kind: 'known', name: 'Error', args: ['LOK'] });
    const cutOff: Hex = `0x08c379a0${'20'.padStart(64, '0')}${'ff'.padStart(64, '0')}${'41'.repeat(188)}`;
    for (const broken of ['0x12', '0x08c379a0', '0x4e487b71', cutOff] as const) {
      expect(parseRevert(broken)).toEqual({ kind: 'unknown', selector: broken.slice(0, 10) });
      expect(revertReason(broken)).toBe(`unknown error ${broken.slice(0, 10)}`);
    }
  });

  it('encodes a plan of any length as the ABI does', () => {
    for (const length of [0, 1, 31, 32, 33, 64, 130]) {
      const plan: Hex = `0x${'ab'.repeat(length)}`;
      expect(liquidateCall(plan)).toBe(abi.encodeFunctionData('liquidate', [plan]));
      expect(liquidateCall(plan, 'liquidateBatch')).toBe(abi.encodeFunctionData('liquidateBatch', [plan]));
    }
  });

  it('reads outcomes, and refuses an answer that is too short', () => {
    const one = hex(abi.encodeFunctionResult('liquidate', [OUTCOME]));
    expect(readOutcome(one)).toEqual(NAMED);
    const two = hex(abi.encodeFunctionResult('liquidateBatch', [[OUTCOME.map(() => 0n), OUTCOME]]));
    // Behind the offset and the length of the array, and the first outcome.
    expect(readOutcome(two, 2 + OUTCOME_WORDS)).toEqual(NAMED);
    expect(() => readOutcome('0x')).toThrow(RangeError);
    expect(() => readOutcome(hex(two.slice(0, -2)), 2 + OUTCOME_WORDS)).toThrow(RangeError);
  });
});

describe('events of the contract', () => {
  const chimera = '0x00000000000000000000000000000000000000c1';
  const a = '0x000000000000000000000000000000000000000a';
  const b = '0x000000000000000000000000000000000000000b';
  const logOf = (name: string, values: unknown[]) => {
    const { topics, data } = abi.encodeEventLog(name, values);
    return { address: chimera, topics: topics.map(hex), data: hex(data) } as const;
  };

  it('are taken from our own contract only', () => {
    const log = logOf('Liquidated', [a, b, a, b, 5n, 6n, a, 7n]);
    expect(chimeraEvents([log], chimera)).toEqual([
      {
        kind: 'liquidated',
        market: a,
        borrower: b,
        collateralAsset: a,
        debtAsset: b,
        debtCovered: 5n,
        collateralSeized: 6n,
        profitToken: a,
        profit: 7n,
      },
    ]);
    expect(chimeraEvents([{ ...log, address: a }], chimera)).toEqual([]);
  });

  it('name a failed liquidation of a batch with its reason, and a paid bid', () => {
    const reason = abi.encodeErrorResult('NothingLiquidated', []);
    const logs = [
      logOf('LiquidationFailed', [3n, b, reason]),
      logOf('BidPaid', [a, 9n]),
      logOf('Paused', [a]),
    ];
    expect(chimeraEvents(logs, chimera)).toEqual([
      { kind: 'failed', index: 3n, borrower: b, reason },
      { kind: 'bid-paid', producer: a, amountWei: 9n },
    ]);
  });
});
