import { AbiCoder, Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { loadArtifacts } from '../../devnet/artifacts.js';
import { CHIMERA_ABI, decodeLiquidateAave, liquidatedEvents, revertReason } from './chimera-contract.js';

describe('what the bot knows of its contract', () => {
  it('is what the compiled contract has', async () => {
    const { chimera } = await loadArtifacts();
    const compiled = new Interface(chimera.abi);
    const known = new Set(
      compiled.fragments
        .filter(({ type }) => type !== 'constructor')
        .map((fragment) => fragment.format('sighash')),
    );
    for (const fragment of new Interface(CHIMERA_ABI).fragments)
      expect(known).toContain(fragment.format('sighash'));
    const returned = (abi: Interface): string | undefined =>
      abi
        .getFunction('liquidateAave')
        ?.outputs.map((output) => output.format('sighash'))
        .join();
    expect(returned(new Interface(CHIMERA_ABI))).toBe(returned(compiled));
  });

  it('names each error of the compiled contract, with its numbers', async () => {
    const { chimera } = await loadArtifacts();
    const compiled = new Interface(chimera.abi);
    const data = compiled.encodeErrorResult('ProfitBelowFloor', [1n, 2n]);
    expect(revertReason(`0x${data.slice(2)}`)).toBe('ProfitBelowFloor(1, 2)');
    for (const name of [
      'SwapExceedsSeized',
      'SwapFellShort',
      'UnknownMarket',
      'NotExecutor',
      'SameAsset',
      'NoPool',
    ])
      expect(
        revertReason(`0x${compiled.getError(name)?.selector.slice(2) ?? ''}${'0'.repeat(128)}`),
      ).toContain(name);
    expect(revertReason('0x')).toBe('no reason given');
    expect(revertReason('0xdeadbeef')).toBe('unknown error 0xdeadbeef');
  });

  it('reads an outcome, and never a missing number as zero', () => {
    const words = AbiCoder.defaultAbiCoder().encode(
      ['uint256', 'uint256', 'uint256', 'uint256'],
      [1n, 2n, 3n, 4n],
    );
    expect(decodeLiquidateAave(`0x${words.slice(2)}`)).toEqual({
      debtCovered: 1n,
      collateralSeized: 2n,
      swapInput: 3n,
      profit: 4n,
    });
    expect(() => decodeLiquidateAave('0x')).toThrow(RangeError);
  });

  it('believes the event of our own contract only', () => {
    const chimera = '0x00000000000000000000000000000000000000c1';
    const abi = new Interface(CHIMERA_ABI);
    const one = '0x0000000000000000000000000000000000000001';
    const { topics, data } = abi.encodeEventLog('Liquidated', [one, one, one, one, 5n, 6n, 7n]);
    const log = {
      address: chimera,
      topics: topics.map((topic): `0x${string}` => `0x${topic.slice(2)}`),
      data: `0x${data.slice(2)}`,
    } as const;
    expect(liquidatedEvents([log], chimera)).toMatchObject([
      { debtCovered: 5n, collateralSeized: 6n, profit: 7n },
    ]);
    expect(liquidatedEvents([{ ...log, address: one }], chimera)).toEqual([]);
  });
});
