import type { Contract, ContractTransactionReceipt, ContractTransactionResponse } from 'ethers';
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
): Promise<ContractTransactionReceipt> {
  const call = contract.connect(devnet.signer(from)).getFunction(method);
  const gasLimit = 2n * (await call.estimateGas(...args));
  const receipt = await ((await call(...args, { gasLimit })) as ContractTransactionResponse).wait();
  if (!receipt) throw new Error(`${method} was not mined`);
  return receipt;
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
