/** Contracts that an OP-stack chain is born with, and Multicall3: put in place before the first block. */
import { ZeroAddress, parseEther, toBeHex, toQuantity } from 'ethers';
import { MULTICALL3 } from '../../src/rpc/chain/multicall3.js';
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import type { Artifacts } from '../artifacts/compile.js';
import { L1_FEES } from '../parameters.js';
import type { RpcCall, RpcClient } from '../chain/rpc.js';

/**
 * Once L1Block holds fees, anvil charges the L1 fee even to eth_call and refuses a sender without ether (a
 * real node does not). An eth_call without `from` is sent by the zero address, so that one gets a fortune.
 */
const CALLER_ETHER = parseEther('1000000');

const word = (value: bigint): string => toBeHex(value, 32);

/**
 * Sets WETH, GasPriceOracle, L1Block and Multicall3 at their canonical addresses, with the Fjord fee rules
 * switched on. Anvil charges the L1 fee from L1Block's storage, so the values written here are paid by every
 * transaction.
 */
export async function setPredeploys(rpc: RpcClient, artifacts: DevnetArtifacts): Promise<void> {
  const { weth, gasPriceOracle, l1Block } = artifacts.predeploys;
  const store = (address: string, slot: bigint, value: bigint): RpcCall => ({
    method: 'anvil_setStorageAt',
    params: [address, word(slot), word(value)],
  });
  await setMulticall3(rpc, artifacts.own);
  const now = BigInt(Math.floor(Date.now() / 1000));
  await rpc.batch([
    ...[weth, gasPriceOracle, l1Block].map(({ address, code }) => ({
      method: 'anvil_setCode',
      params: [address, code],
    })),
    { method: 'anvil_setBalance', params: [ZeroAddress, toQuantity(CALLER_ETHER)] },
  ]);
  await rpc.batch([
    // Storage layout of GasPriceOracle: bool isEcotone, bool isFjord.
    store(gasPriceOracle.address, 0n, 0x0101n),
    // Storage layout of L1Block: number | timestamp; basefee; hash; sequenceNumber | blobBaseFeeScalar |
    // baseFeeScalar; batcherHash; l1FeeOverhead; l1FeeScalar; blobBaseFee.
    store(l1Block.address, 0n, 20_000_000n | (now << 64n)),
    store(l1Block.address, 1n, L1_FEES.baseFeeWei),
    store(l1Block.address, 3n, (L1_FEES.blobBaseFeeScalar << 64n) | (L1_FEES.baseFeeScalar << 96n)),
    store(l1Block.address, 7n, L1_FEES.blobBaseFeeWei),
  ]);
}

/** Puts Multicall3 at its canonical address. @param own the contracts of devnet/contracts */
export async function setMulticall3(rpc: RpcClient, own: Artifacts): Promise<void> {
  // Running creation code by eth_call returns the runtime code.
  const data = artifactOf(own, 'Multicall3Code').bytecode;
  const code = await rpc.call('eth_call', [{ data }, 'latest']);
  await rpc.call('anvil_setCode', [MULTICALL3, code]);
}
