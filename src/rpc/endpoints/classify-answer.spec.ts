import { describe, expect, it } from 'vitest';

import { classifyAnswer } from './classify-answer.js';
import {
  AlreadyKnown,
  CallReverted,
  DelegatedAccountLimit,
  FeeCapExceeded,
  FeeTooLow,
  InsufficientFunds,
  LogRangeTooLarge,
  MethodMissing,
  NonceTooLow,
  NoPlaceInPool,
  ReplacementUnderpriced,
  RpcAnswerError,
  RpcError,
  TooLarge,
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
    ['hardhat', -32000, "sender doesn't have enough funds to send tx. The upfront cost is: 2"],
    ['op-geth', -32000, 'insufficient funds for gas * price + value + rollup fee'],
  ])('"insufficient funds" of %s (%i %s)', (_client, code, message) => {
    expect(send(code, message)).toBeInstanceOf(InsufficientFunds);
  });

  const ETHER = 10n ** 18n;
  it.each([
    ['geth', 'tx fee (1.63 ether) exceeds the configured cap (1.00 ether)', ETHER],
    ['a fork of geth', 'tx fee (1.10 FTM) exceeds the configured cap (0.05 FTM)', ETHER / 20n],
    ['reth', 'tx fee (1630000000000000000 wei) exceeds the configured cap (1000000000000000000 wei)', ETHER],
    [
      'cdk-erigon',
      'RPC error response: tx fee (7.7142 ether) exceeds the configured cap (1.00 ether)',
      ETHER,
    ],
    ['erigon', 'txFee 2.0 exceeds the configuration cap', undefined],
    ['besu', 'Transaction fee cap exceeded', undefined],
    ['optimism', 'fee too high: 5835750750000000, use less than 467550750000000 * 0.700000', undefined],
  ])('a fee above the cap of the node, in the words of %s (%s)', (_client, message, capWei) => {
    const error = send(-32000, message);
    expect(error).toBeInstanceOf(FeeCapExceeded);
    expect(error).toMatchObject({ capWei });
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

describe('F05 a node that cannot pass a transaction on says nothing about the transaction', () => {
  it.each([
    ['proxyd', -32011, 'no backend is currently healthy to serve traffic'],
    ['a proxy', -32603, 'no backends available for method'],
    ['op-geth', -32000, 'Post "https://sequencer.example": tls: failed to verify certificate: x509: unknown'],
    [
      'op-geth',
      -32000,
      'Post "https://sequencer.example": dial tcp 10.0.0.1:443: connect: connection refused',
    ],
    ['op-geth', -32000, 'Post "https://sequencer.example": EOF'],
    ['op-reth', -32603, 'error sending request for url (https://sequencer.example/)'],
    ['op-reth', -32000, 'error sending request for url (https://sequencer.example/)'],
    ['a gateway', -32000, 'read tcp 10.0.0.1:1->10.0.0.2:2: i/o timeout'],
    ['a gateway', -32000, 'context deadline exceeded'],
  ])('%s: %i %s', (_node, code, message) => {
    expect(send(code, message)).toMatchObject({ kind: 'provider' });
  });
});

describe('a pool that has no place now is no rate limit, and no verdict on the transaction', () => {
  it.each([
    ['geth, reth on Base', -32000, 'in-flight transaction limit reached for delegated accounts'],
    ['geth', -32000, 'gapped-nonce tx from delegated accounts'],
    ['nethermind', -32010, 'DelegatorHasPendingTx, Only one pending transaction per delegated account'],
    ['nethermind 1.32', -32010, 'NotCurrentNonceForDelegation'],
  ])('a delegated account is limited by %s (%i %s)', (_client, code, message) => {
    expect(send(code, message)).toBeInstanceOf(DelegatedAccountLimit);
  });

  it.each([
    ['geth', -32000, 'txpool is full'],
    ['reth', -32003, 'txpool is full'],
    ['erigon', -32000, 'pool overflow'],
    ['besu', -32000, 'Transaction pool is full'],
    ['reth', -32003, '[0x12] transaction discarded outright due to pool size constraints'],
    ['reth', -32003, 'rejected due to 0x11 being identified as a spammer'],
    ['geth', -32000, 'address already reserved'],
    [
      'openethereum',
      -32010,
      'There are too many transactions in the queue. Your transaction was dropped due to limit. Try increasing the fee.',
    ],
  ])('the pool of %s is full (%i %s)', (_client, code, message) => {
    const answer = send(code, message);
    expect(answer.constructor).toBe(NoPlaceInPool);
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
    ['parity', -32015, 'VM execution error.', 'Reverted 0x', '0x'],
    ['anvil', 3, 'execution reverted: no', '0x08C379A0', '0x08c379a0'],
    ['hardhat', -32603, 'Error: VM Exception: reverted', { data: { data: '0x02', message: 'x' } }, '0x02'],
    ['ganache', -32000, 'VM Exception: revert', { '0xab': { error: 'revert', return: '0x03' } }, '0x03'],
    ['a gateway', -32000, 'execution reverted', { originalError: { code: 3, data: '0x04' } }, '0x04'],
    ['a gateway', -32000, 'execution reverted: 0x08c379a005', undefined, '0x08c379a005'],
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
    ['reth', -32001, 'unknown block number'],
    ['erigon', -32000, 'request beyond head block: requested 101, head 100'],
    ['erigon', -32000, 'block with number 12345 not found'],
    ['erigon', -32000, 'block 0x12 is not canonical'],
    ['nitro', -32000, 'unsupported block number 124728734'],
    ['drpc', 27, 'Unknown state. First available state is 1'],
    ['quicknode', -32000, 'block height 101 is not available'],
    ['besu', -32000, 'World state unavailable'],
    ['avalanche', -32000, 'cannot query unfinalized data'],
    ['geth', 4444, 'pruned history unavailable'],
    ['reth', -32001, 'historical state is not available'],
    ['a proxy', -32000, 'the node is lagging behind'],
    ['a proxy', -32000, 'requested block number 101 is greater than the latest block'],
    ['alchemy', -32000, 'Requested data is not yet available'],
    ['chainstack', -32000, 'node is not synced'],
    ['polygon', -32603, 'failed to get header from block hash or block number'],
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
    ['infura', -32005, 'query returned more than 10000 results', undefined],
    ['infura', -32602, 'range 10000 exceeds limit of 1000', 1_000],
    ['thirdweb', -32005, 'query returned too many. Try with this block range [0x1, 0x64].', 100],
    ['alchemy', -32602, 'Log response size exceeded. this block range should work: [0x1, 0x2]', 2],
    ['alchemy free', -32600, 'you can make eth_getLogs requests with up to a 10 block range.', 10],
    ['ankr', -32600, 'block range is too wide', undefined],
    ['drpc free', 35, 'ranges over 1000 blocks are not supported on freetier', 1_000],
    ['reth', -32602, 'query exceeds max results 20000, retry with the range 1-500', 500],
    ['blockpi', -32602, 'eth_getLogs is limited to 1024 block range. Please check the parameters', 1_024],
    ['scroll', -32000, 'block range is bigger than maxBlockRange', undefined],
    ['besu', -32005, 'Requested range exceeds maximum RPC range limit', undefined],
    ['coinbase', -32000, 'please limit the query to at most 1000 blocks', 1_000],
    ['avalanche', -32000, 'requested too many blocks from 1 to 9000, maximum is set to 2048', 2_048],
    ['harmony', -32000, 'GetLogs query must be smaller than size 1024', 1_024],
    ['quicknode', -32614, 'eth_getLogs is limited to a 10,000 range', 10_000],
    ['erigon', -32005, 'block range too large, max range: 500', 500],
    ['moonbeam', -32000, 'block range is too wide (maximum 1024)', 1_024],
    ['base', -32000, 'exceed maximum block range: 5000', 5_000],
    ['1rpc', -32000, 'max is 1k blocks', 1_000],
    ['a node', -32000, 'query timeout exceeded', undefined],
    ['a node', -32000, 'context deadline exceeded', undefined],
  ])('F11 %s refuses a range of logs as too large: %i %s', (_provider, code, message, suggested) => {
    const answer = classify('eth_getLogs', code, message);
    expect(answer).toBeInstanceOf(LogRangeTooLarge);
    expect((answer as LogRangeTooLarge).suggested).toBe(suggested);
  });

  it('F44 nethermind and openethereum do not have a block whose logs are asked for: not a matter of the range', () => {
    const words = 'One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found';
    expect(classify('eth_getLogs', -32000, words)).toMatchObject({ kind: 'out-of-sync', tooMuch: false });
  });

  it('F11 the words of a refusal may stand in its data', () => {
    const data = { error_id: '4ed9', payload: 'range 9009594 is bigger than range limit 2000' };
    expect(classify('eth_getLogs', -32602, 'invalid params', data)).toMatchObject({ suggested: 2_000 });
  });

  it.each([
    [-32005, 'daily request count exceeded, request rate limited'],
    [-32007, '50/second request limit reached - reduce calls per second'],
    [429, 'Your app has exceeded its compute units per second capacity'],
  ])('F01 a rate limit is one for logs too: %i %s', (code, message) => {
    expect(classify('eth_getLogs', code, message)).toMatchObject({ kind: 'rate-limit' });
  });

  it('F11 an unknown refusal of logs, and a time-out in words, may be due to the range', () => {
    expect(classify('eth_getLogs', -32002, 'request timed out')).toMatchObject({ tooMuch: true });
    expect(classify('eth_getLogs', -1, 'zażółć')).toMatchObject({ kind: 'refused', tooMuch: true });
    expect(classify('eth_getLogs', -32000, 'header not found')).toMatchObject({ tooMuch: false });
  });

  it.each([
    ['eth_getBalance', -32602, 'invalid argument 1: hex string without 0x prefix'],
    ['eth_simulateV1', -32000, 'this plan does not include it'],
    ['eth_getBlockByNumber', -32000, 'nonce too low'],
  ])('an unknown refusal of %s is not final: %i %s', (method, code, message) => {
    expect(classify(method, code, message)).toMatchObject({ kind: 'refused', tooMuch: false });
  });

  it.each([
    ['geth', -32601, 'the method eth_simulateV1 does not exist/is not available'],
    ['EIP-1474', -32004, 'Method eth_simulateV1 is not supported'],
    ['a gateway', -32000, 'Unsupported method: eth_simulateV1 on this network'],
    ['another gateway', -32600, 'method is not whitelisted'],
  ])(
    'F47 an endpoint that lacks the method says so, which is no matter of size: %s, %i %s',
    (_, code, message) => {
      const error = classify('eth_simulateV1', code, message);
      expect(error).toBeInstanceOf(MethodMissing);
      expect(error).toMatchObject({
        kind: 'refused',
        tooMuch: false,
        message: expect.stringMatching(/it does not offer eth_simulateV1, and answered -32/) as string,
      });
    },
  );

  it.each([
    ['eth_call', -32000, 'request entity too large'],
    ['eth_call', -32003, 'response too large'],
    ['eth_simulateV1', -32600, 'The response body size exceeds the limit'],
  ])('the question or the answer of %s is too large: %i %s', (method, code, message) => {
    expect(classify(method, code, message)).toBeInstanceOf(TooLarge);
  });
});
