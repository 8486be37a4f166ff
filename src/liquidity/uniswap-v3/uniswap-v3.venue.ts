import { Clock } from '../../domain/clock.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { each, readAt } from '../../rpc/chain/read.js';
import { pairKey, type TokenPair } from '../pool.js';
import { Venue } from '../venue.js';
import { FEE_TIERS, poolRead } from './reads.js';
import { UniswapV3Pool } from './uniswap-v3.pool.js';

/** How long a pool that costs too much to ask is left alone. */
const DEAD_MS = 60_000;

export interface UniswapV3Addresses {
  readonly factory: Address;
  /** QuoterV2. */
  readonly quoter: Address;
}

/**
 * The pools of a Uniswap v3 factory. Its pools lend what they sell until the end of the swap, so that one
 * swap is loan and exit.
 */
export class UniswapV3Venue extends Venue {
  /** By {@link pairKey}, in the order of {@link FEE_TIERS}. */
  private readonly known = new Map<string, readonly UniswapV3Pool[]>();
  /** Pools that cost too much to ask, and until when they are left alone. Monotonic milliseconds. */
  private readonly deadUntilMs = new Map<Address, number>();

  constructor(
    private readonly chain: Chain,
    private readonly addresses: UniswapV3Addresses,
    private readonly clock: Clock = new Clock(),
  ) {
    super();
  }

  /**
   * Each pair is looked up once in the life of the process: the address of a pool never changes, and a new
   * tier is rare. Pools that cost too much to ask are left out for a minute.
   */
  override async pools(pairs: readonly TokenPair[], block: Hash): Promise<readonly UniswapV3Pool[]> {
    const asked = new Map(pairs.filter(([a, b]) => a !== b).map((pair) => [pairKey(pair), pair]));
    await this.lookUp(
      [...asked].filter(([key]) => !this.known.has(key)),
      block,
    );
    const nowMs = this.clock.monotonicMs();
    const mayBeAsked = ({ address }: UniswapV3Pool): boolean => (this.deadUntilMs.get(address) ?? 0) <= nowMs;
    return [...asked.keys()].flatMap((key) => this.known.get(key) ?? []).filter(mayBeAsked);
  }

  private async lookUp(unknown: readonly (readonly [string, TokenPair])[], block: Hash): Promise<void> {
    if (unknown.length === 0) return;
    const { factory, quoter } = this.addresses;
    const found = await readAt(
      this.chain,
      each(unknown.map(([, pair]) => each(FEE_TIERS.map((feePips) => poolRead(factory, pair, feePips))))),
      block,
    );
    for (const [index, [key, tokens]] of unknown.entries()) {
      const pools = FEE_TIERS.flatMap((feePips, tier) => {
        const address = found[index]?.[tier];
        const leaveAlone = (): void => {
          if (address) this.deadUntilMs.set(address, this.clock.monotonicMs() + DEAD_MS);
        };
        return address ? [new UniswapV3Pool(address, tokens, feePips, quoter, leaveAlone)] : [];
      });
      this.known.set(key, pools);
    }
  }
}
