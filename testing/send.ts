import type { Contract, ContractTransactionReceipt, ContractTransactionResponse } from 'ethers';
import type { Devnet, TokenSymbol } from '../devnet/index.js';

/** Calls a contract from an account and waits until that is mined. @throws {Error} when it reverts */
export async function send(
  devnet: Devnet,
  from: string,
  contract: Contract,
  method: string,
  ...args: unknown[]
): Promise<ContractTransactionReceipt> {
  const call = contract.connect(devnet.signer(from)).getFunction(method);
  const receipt = await ((await call(...args)) as ContractTransactionResponse).wait();
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
