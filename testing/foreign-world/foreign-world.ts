/** A market that the bot was not made for: odd tokens, thin pools of all kinds, few direct roads. */
import type { Devnet } from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import { PoolWorld } from '../pool-world.js';
import { send } from '../send.js';
import { createPools, type ForeignPool } from './pools.js';
import { fall, openPositions, type ForeignPosition } from './positions.js';
import { listTokens, unitsWorth, type ForeignToken, type ForeignTokens } from './tokens.js';
import { Yardstick } from './yardstick.js';

/** What trader and yardstick have of each token, in dollars. */
const STOCK_USD = 50_000_000;

export class ForeignWorld {
  private constructor(
    readonly devnet: Devnet,
    readonly tokens: ForeignTokens,
    readonly pools: readonly ForeignPool[],
    readonly positions: readonly ForeignPosition[],
    readonly yardstick: Yardstick,
  ) {}

  static async build(devnet: Devnet, seed: number): Promise<ForeignWorld> {
    const random = new SeededRandom(seed);
    const tokens = await listTokens(devnet);
    const world = await PoolWorld.over(devnet, [...tokens.values()]);
    const contract = await devnet.deploy('Yardstick', []);
    for (const holder of [world.trader, contract])
      for (const token of tokens.values()) await give(devnet, token, await holder.getAddress());
    const pools = await createPools(world, tokens, random);
    const positions = await openPositions(devnet, tokens, random);
    return new ForeignWorld(devnet, tokens, pools, positions, new Yardstick(devnet, contract, tokens, pools));
  }

  /** The step that makes all positions liquidatable; it is in the next block. */
  fall(): Promise<void> {
    return fall(this.devnet, this.tokens);
  }
}

async function give(devnet: Devnet, token: ForeignToken, to: string): Promise<void> {
  const amount = unitsWorth(token, STOCK_USD);
  const { deployer, supplier } = devnet.accounts;
  if (token.symbol === 'WETH') await send(devnet, supplier, token.contract, 'transfer', to, amount);
  else await send(devnet, deployer, token.contract, 'mint', to, amount);
}
