import type { Devnet, TokenSymbol } from '../devnet/index.js';
import type { ChimeraConfig } from '../src/config/index.js';
import { toAddress, type Hash } from '../src/domain/hex.js';
import { LenderBook } from '../src/liquidity/lenders/lender-book.js';
import { lendersOf } from '../src/liquidity/lenders/lenders.js';
import type { Offers } from '../src/liquidity/lenders/offers.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import { readAt } from '../src/rpc/chain/read.js';
import { TestClock } from './fakes/test-clock.js';
import { sendFrom } from './transactions.js';

/** What the configured lenders of the local chain offer at a block. */
export async function offersAt(
  devnet: Devnet,
  chain: Chain,
  { liquidity }: Pick<ChimeraConfig, 'liquidity'>,
  block: Hash,
): Promise<Offers> {
  const clock = new TestClock();
  const book = new LenderBook(lendersOf(liquidity.flash), clock);
  book.serve(() => Object.values(devnet.tokens).map(({ address }) => ({ address: toAddress(address) })));
  // Balancer v2 is known by the second reading.
  book.view(await readAt(chain, book.reads(), block));
  clock.advance(60_000);
  return book.view(await readAt(chain, book.reads(), block));
}

/** Takes tokens away from a lender, until it has only this much. Units of the token. */
export async function drain(
  devnet: Devnet,
  lender: string,
  symbol: TokenSymbol,
  left: bigint,
): Promise<void> {
  const token = devnet.token(symbol);
  const held = BigInt(String(await token.getFunction('balanceOf')(lender)));
  await devnet.rpc('anvil_setBalance', [lender, '0xde0b6b3a7640000']);
  const data = token.interface.encodeFunctionData('transfer', [devnet.accounts.trader, held - left]);
  await sendFrom(devnet, lender, { to: devnet.tokens[symbol].address, data });
}
