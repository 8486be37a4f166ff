import { describe, expect, it } from 'vitest';

import { classifyAnswer } from './classify-answer.js';
import {
  AlreadyKnown,
  CallReverted,
  FeeTooLow,
  InsufficientFunds,
  LogRangeTooLarge,
  NonceTooLow,
  ReplacementUnderpriced,
  RpcAnswerError,
  RpcError,
} from '../rpc-errors.js';

const classify = (method: string, code: number, message: string, data?: unknown): RpcError | RpcAnswerError =>
  classifyAnswer('primary', method, { code, message, data }, message);
const send = (code: number, message: string): RpcError | RpcAnswerError =>
  classify('eth_sendRawTransaction', code, message);

describe('answers to eth_sendRawTransaction in the words of each client', () => {
  it.each([
    ['geth, op-geth, reth', -32000, 'already known'],
    ['geth before 1.9', -32000, 'known transaction: 5efa478dc0bd753b'],
    ['erigon', -32000, 'ALREADY_EXISTS: already known'],
    ['erigon', -32000, 'INTERNAL_ERROR: existing tx with same hash'],
    ['nethermind 1.1x', -32010, 'AlreadyKnown'],
    ['nethermind', -32010, 'already known'],
    ['besu', -32000, 'Known transaction'],
    ['openethereum', -32010, 'Transaction with the same hash was already imported.'],
    ['anvil', -32003, 'transaction already imported'],
    ['arbitrum', -32000, 'already in the mempool'],
  ])('F24 "already known" of %s (%i %s)', (_client, code, message) => {
    expect(send(code, message)).toBeInstanceOf(AlreadyKnown);
  });

  it.each([
    ['geth', -32000, 'nonce too low: next nonce 5, tx nonce 4'],
    ['erigon', -32000, 'INTERNAL_ERROR: nonce too low'],
    ['nethermind 1.1x', -32010, 'OldNonce, Current nonce: 5, nonce of rejected tx: 4.'],
    ['besu', -32001, 'Nonce too low'],
    ['openethereum', -32010, 'Transaction nonce is too low. Try incrementing the nonce.'],
    ['anvil', -32003, 'nonce too low'],
  ])('"nonce too low" of %s (%i %s)', (_client, code, message) => {
    expect(send(code, message)).toBeInstanceOf(NonceTooLow);
  });

  it.each([
    ['geth, reth, anvil', -32000, 'replacement transaction underpriced'],
    ['erigon', -32000, 'could not replace existing tx'],
    ['nethermind', -32010, 'ReplacementNotAllowed'],
    ['nethermind 1.1x', -32010, 'OwnNonceAlreadyUsed'],
    [
      'openethereum',
      -32010,
      'Transaction gas price is too low. There is another transaction with same nonce in the queue.',
    ],
  ])('"replacement underpriced" of %s (%i %s)', (_client, code, message) => {
    expect(send(code, message)).toBeInstanceOf(ReplacementUnderpriced);
  });

  it.each([
    ['geth', -32000, 'insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000'],
    ['nethermind', -32010, 'InsufficientFunds, Account balance: 0, cumulative cost: 21000'],
    ['besu', -32004, 'Upfront cost exceeds account balance'],
    ['openethereum', -32010, "Insufficient funds. The account doesn't have enough funds."],
    ['anvil', -32003, 'Insufficient funds for gas * price + value'],
  ])('"insufficient funds" of %s (%i %s)', (_client, code, message) => {
    expect(send(code, message)).toBeInstanceOf(InsufficientFunds);
  });

  it.each([
    ['op-geth', -32000, 'transaction underpriced: gas tip cap 0, minimum needed 1'],
    [
      'geth',
      -32000,
      'max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 5000000',
    ],
    ['erigon', -32000, 'underpriced'],
    ['nethermind', -32010, 'FeeTooLow, MaxFeePerGas too low.'],
    ['besu', -32009, 'Gas price below configured minimum gas price'],
  ])('"fee too low" of %s (%i %s)', (_client, code, message) => {
    expect(send(code, message)).toBeInstanceOf(FeeTooLow);
  });

  it.each([
    [-32000, 'intrinsic gas too low'],
    [-32000, 'nonce too high'],
    [-32000, 'exceeds block gas limit'],
    [-32010, 'GasLimitExceeded, gas limit exceeded'],
    [-32003, 'invalid chain id for signer'],
    [-32602, 'unknown transaction type'],
  ])('any other refusal has no class of its own: %i %s', (code, message) => {
    expect(send(code, message).constructor).toBe(RpcAnswerError);
  });
});

describe('answers to calls', () => {
  it.each([
    ['geth', 3, 'execution reverted: 1', '0xABcd', '0xabcd'],
    ['nethermind', -32015, 'VM execution error.', 'Reverted 0x08c379a0', '0x08c379a0'],
    ['hardhat', -32603, 'reverted', { message: 'x', data: '0x01' }, '0x01'],
    ['besu', -32000, 'Execution reverted', undefined, '0x'],
    ['anvil', -32603, 'EVM error OutOfGas', undefined, '0x'],
    ['geth', -32000, 'out of gas', undefined, '0x'],
    ['a node that sends no hex', 3, 'execution reverted', '0xnothex', '0x'],
  ])('the data of a revert is found in the answer of %s', (_client, code, message, data, expected) => {
    const answer = classify('eth_call', code, message, data);
    expect(answer).toBeInstanceOf(CallReverted);
    expect((answer as CallReverted).data).toBe(expected);
  });

  it('a contract that reverts with the words "nonce too low" is a revert', () => {
    expect(classify('eth_call', 3, 'execution reverted: nonce too low', '0x')).toBeInstanceOf(CallReverted);
  });

  it.each([
    ['geth', -32000, 'header not found'],
    ['geth, of a block hash', -32000, 'header for hash not found'],
    ['geth', -32000, 'missing trie node 1f (path ) state 0x1f is not available'],
    ['geth', -32000, 'hash 0x12 is not currently canonical'],
    ['reth', -32001, 'block not found: hash 0x12'],
    ['anvil', -32001, 'Resource not found'],
    ['anvil', -32602, 'BlockOutOfRangeError: block height is 0 but requested was 9'],
    ['besu', -39001, 'Unknown block'],
    ['nethermind', -32000, 'No state available for block 9'],
  ])('F07 %s does not have the block, so it is out of sync (%i %s)', (_client, code, message) => {
    expect(classify('eth_call', code, message)).toMatchObject({ kind: 'out-of-sync' });
  });

  it.each([
    [-32005, 'daily request count exceeded, request rate limited'],
    [429, 'Your app has exceeded its compute units per second capacity'],
    [-32007, '50/second request limit reached'],
    [-32000, 'Too Many Requests'],
  ])('F01 a rate limit is recognised by its words: %i %s', (code, message) => {
    expect(classify('eth_call', code, message)).toMatchObject({ kind: 'rate-limit', retryAfterMs: 1_000 });
  });

  it.each([
    [-32603, 'Internal error'],
    [-32000, 'execution aborted (timeout = 5s)'],
    [-32000, 'upstream request failed, try again'],
    [-32600, 'Must be authenticated!'],
  ])('a fault of the provider is recognised: %i %s', (code, message) => {
    expect(classify('eth_call', code, message)).toMatchObject({ kind: 'provider' });
  });

  it.each([
    [-32005, 'query returned more than 10000 results'],
    [-32602, 'Log response size exceeded. this block range should work: [0x1, 0x2]'],
    [-32000, 'block range is too wide'],
    [-32000, 'exceed maximum block range: 5000'],
    [-32000, 'eth_getLogs is limited to a 10,000 range'],
  ])('F11 a log range that is too large for the provider is recognised: %i %s', (code, message) => {
    expect(classify('eth_getLogs', code, message)).toBeInstanceOf(LogRangeTooLarge);
  });
});
