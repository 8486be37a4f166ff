import { setTimeout as sleep } from 'node:timers/promises';
import type { Contract, ContractTransactionResponse, TransactionReceipt } from 'ethers';
import type { Devnet, TokenSymbol } from '../devnet/index.js';

/**
 * Calls a contract from an account and waits until that is mined.
 *
 * The gas limit is twice the estimate. Interest is booked only when a second has passed since the last time,
 * so a call may need more gas in its block than at its estimate.
 *
 * @throws {Error} when it reverts, with the reason when the estimate met it
 */
export async function send(
  devnet: Devnet,
  from: string,
  contract: Contract,
  method: string,
  ...args: unknown[]
): Promise<TransactionReceipt> {
  const call = contract.connect(devnet.signer(from)).getFunction(method);
  const gasLimit = 2n * (await call.estimateGas(...args));
  return sendWithGas(devnet, from, contract, method, gasLimit, ...args);
}

/** As {@link send}, with a gas limit of one's own. */
export async function sendWithGas(
  devnet: Devnet,
  from: string,
  contract: Contract,
  method: string,
  gasLimit: bigint,
  ...args: unknown[]
): Promise<TransactionReceipt> {
  const call = contract.connect(devnet.signer(from)).getFunction(method);
  const { hash } = (await call(...args, { gasLimit })) as ContractTransactionResponse;
  // Not by ethers' wait(): it misses a block between its first look and its subscription to blocks.
  for (;;) {
    const receipt = await devnet.provider.getTransactionReceipt(hash);
    if (receipt?.status === 0) throw new Error(`${method} reverted`);
    if (receipt) return receipt;
    await sleep(5);
  }
}

/**
 * Gives a newly minted token to an account, and lets a spender take it.
 *
 * @param amount the token's smallest units
 */
export async function endow(
  devnet: Devnet,
  account: string,
  symbol: Exclude<TokenSymbol, 'WETH'>,
  amount: bigint,
  spender: string,
): Promise<void> {
  await send(devnet, devnet.accounts.deployer, devnet.token(symbol), 'mint', account, amount);
  await send(devnet, account, devnet.token(symbol), 'approve', spender, amount);
}
