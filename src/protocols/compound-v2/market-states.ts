import { isDeepStrictEqual } from 'node:util';
import type { Block } from '../../domain/block.js';
import { each, type Read } from '../../rpc/chain/read.js';
import type { CompoundMarket, MarketState } from './market.js';
import { stateRead } from './reads.js';

/** What was answered, by the id of the mToken. */
export type StateAnswers = ReadonlyMap<number, MarketState>;

/** Each so many blocks one market is asked although no log says that it changed. */
const BLOCKS_PER_TURN = 16;

/**
 * What the markets have booked, and their rates. A market is asked at the head after each block that changed
 * it. Tokens that somebody sends to a market raise its cash without a log of it: so each is asked by turns,
 * too.
 */
export class MarketStates {
  private known = new Map<number, MarketState>();
  /** The last answer of {@link complete}, while nothing is another than it was. */
  private told: ReadonlyMap<number, MarketState> | undefined;

  /** These markets were changed by a block. */
  touch(ids: Iterable<number>): void {
    for (const id of ids) this.known.delete(id);
  }

  reset(): void {
    this.known.clear();
    this.told = undefined;
  }

  reads({ mTokens, clock }: CompoundMarket, { number }: Pick<Block, 'number'>): Read<StateAnswers> {
    const turn = number % BLOCKS_PER_TURN === 0 ? (number / BLOCKS_PER_TURN) % mTokens.size : undefined;
    const asked = [...mTokens.values()].filter(({ id }, index) => !this.known.has(id) || index === turn);
    const { calls, decode } = each(asked.map(({ address }) => stateRead(address, clock)));
    return {
      calls,
      decode: (results) => {
        const states = decode(results);
        return new Map(
          asked.flatMap(({ id }, index) => {
            const state = states[index];
            return state ? [[id, state] as const] : [];
          }),
        );
      },
    };
  }

  /** With what was read at the head: another map only where something changed. */
  complete(answers: StateAnswers): ReadonlyMap<number, MarketState> {
    for (const [id, state] of answers) {
      this.known.set(id, state);
      if (!isDeepStrictEqual(this.told?.get(id), state)) this.told = undefined;
    }
    return (this.told ??= new Map(this.known));
  }
}
