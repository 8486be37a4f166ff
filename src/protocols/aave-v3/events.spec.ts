import { id } from 'ethers';
import { describe, expect, it } from 'vitest';
import { uintWord, type Hash, type Hex } from '../../domain/hex.js';
import { RAY } from '../../domain/money.js';
import { checkLog } from './events.js';

const WORD: Hash = `0x${uintWord(1)}`;
const words = (...values: bigint[]): Hex => `0x${values.map(uintWord).join('')}`;
const topics = (signature: string, more: number): Hash[] => [
  id(signature) as Hash,
  ...Array.from({ length: more }, () => WORD),
];

const MINT = 'Mint(address,address,uint256,uint256,uint256)';
const TRANSFER = 'BalanceTransfer(address,address,uint256,uint256)';
const UPDATED = 'ReserveDataUpdated(address,uint256,uint256,uint256,uint256,uint256)';
const E_MODE = 'UserEModeSet(address,uint8)';
const LIQUIDATION = 'LiquidationCall(address,address,address,uint256,uint256,address,bool)';
const MAX = 2n ** 256n - 1n;

describe('a log of an Aave market', () => {
  it.each<[string, string, number, Hex]>([
    ['a Mint', MINT, 2, words(1n, 2n, RAY)],
    ['a BalanceTransfer', TRANSFER, 2, words(1n, 2n)],
    ['a ReserveDataUpdated', UPDATED, 1, words(1n, MAX, 3n, RAY, RAY)],
    ['a UserEModeSet', E_MODE, 1, words(255n)],
    ['a LiquidationCall', LIQUIDATION, 3, words(MAX, 2n, 3n, 1n)],
    ['an event that is not read', 'Anything()', 0, '0x'],
  ])('%s as the contracts emit it is accepted', (_name, signature, more, data) => {
    expect(() => checkLog({ topics: topics(signature, more), data })).not.toThrow();
  });

  it.each<[string, string, number, Hex]>([
    ['a Mint without its second topic', MINT, 1, words(1n, 2n, 3n)],
    ['a Mint without its index', MINT, 2, words(1n, 2n)],
    ['a Mint of 2^256 - 1', MINT, 2, words(MAX, 2n, RAY)],
    ['a Mint with an index of 0', MINT, 2, words(1n, 2n, 0n)],
    ['a ReserveDataUpdated with an index below one ray', UPDATED, 1, words(1n, 2n, 3n, RAY, RAY - 1n)],
    ['a BalanceTransfer without data', TRANSFER, 2, '0x'],
    ['a BalanceTransfer of 2^128', TRANSFER, 2, words(2n ** 128n, 2n)],
    ['a ReserveDataUpdated without its borrow index', UPDATED, 1, words(1n, 2n, 3n, 4n)],
    ['a ReserveDataUpdated whose index is 2^200', UPDATED, 1, words(1n, 2n, 3n, 2n ** 200n, 5n)],
    ['a UserEModeSet to 256', E_MODE, 1, words(256n)],
    ['a LiquidationCall that is cut off', LIQUIDATION, 3, words(1n, 2n)],
    ['a LiquidationCall whose flag is 2', LIQUIDATION, 3, words(1n, 2n, 3n, 2n)],
  ])('F43 %s is refused', (_name, signature, more, data) => {
    expect(() => checkLog({ topics: topics(signature, more), data })).toThrow(RangeError);
  });
});
