import { Injectable } from '@nestjs/common';
import { Clock } from '../../domain/clock.js';
import type { Address } from '../../domain/hex.js';
import { each, type Read } from '../../rpc/chain/read.js';
import type { FollowedName } from '../../state/followed.js';
import { AskedBook } from '../asked-book.js';
import type { Lender, Offer } from './lender.js';
import { NO_OFFERS, Offers } from './offers.js';

/** By which {@link StateView} has what can be borrowed. */
export const LENDERS: FollowedName<Offers> = { name: 'lenders' };

/**
 * What lenders would lend of each token of a market. A lender that has less by now is found by the proof of a
 * plan ({@link Offers.doubt}).
 */
@Injectable()
export class LenderBook extends AskedBook<Offers> {
  readonly name = LENDERS.name;
  private tokens: () => readonly { readonly address: Address }[] = () => [];

  constructor(
    private readonly lenders: readonly Lender[],
    clock: Clock = new Clock(),
  ) {
    super(NO_OFFERS, clock);
  }

  /** @param tokens of all markets at the moment. */
  serve(tokens: () => readonly { readonly address: Address }[]): void {
    this.tokens = tokens;
  }

  protected question(): Read<Offers> {
    const tokens = [...new Set(this.tokens().map(({ address }) => address))];
    const { calls, decode } = each(
      tokens.length === 0 ? [] : this.lenders.map((lender) => lender.offers(tokens)),
    );
    return {
      calls,
      decode: (results) =>
        Offers.of(
          decode(results).flatMap((offers) =>
            offers.flatMap((offer, index): [Address, Offer][] => {
              const token = tokens[index];
              return offer && token !== undefined ? [[token, offer]] : [];
            }),
          ),
        ),
    };
  }
}
