import { Injectable } from '@nestjs/common';
import { Clock } from '../../domain/clock.js';
import type { Address } from '../../domain/hex.js';
import { each, type Read } from '../../rpc/chain/read.js';
import type { BlockStep, Followed, FollowedName } from '../../state/followed.js';
import type { Lender, Offer } from './lender.js';
import { NO_OFFERS, Offers } from './offers.js';

/** How often the lenders are asked what they have. */
const ASK_EVERY_MS = 5_000;
const NOTHING: BlockStep = { readsChange: false, contradicted: [] };

/** What was answered at a head, by lender and token; undefined: nothing was asked. */
type Answers = Iterable<readonly [Address, Offer]> | undefined;

/** By which {@link StateView} has what can be borrowed. */
export const LENDERS: FollowedName<Offers> = { name: 'lenders' };

/**
 * What lenders would lend of each token of a market. Many logs of many contracts change it, so it follows no
 * logs: all lenders are asked every few seconds, beside what else is asked at a head. What has changed since
 * then is found by the proof of a plan ({@link Offers.doubt}).
 */
@Injectable()
export class LenderBook implements Followed<Offers, BlockStep, undefined, Answers> {
  readonly name = LENDERS.name;
  readonly watched = new Map();
  private offers = NO_OFFERS;
  private readAtMs = -Infinity;
  private tokens: () => readonly { readonly address: Address }[] = () => [];

  constructor(
    private readonly lenders: readonly Lender[],
    private readonly clock: Clock = new Clock(),
  ) {}

  /** @param tokens of all markets at the moment. */
  serve(tokens: () => readonly { readonly address: Address }[]): void {
    this.tokens = tokens;
  }

  /** It watches no contract. */
  check(): void {
    return;
  }

  prepare(): Promise<BlockStep> {
    return Promise.resolve(NOTHING);
  }

  commit(): undefined {
    return undefined;
  }

  /** The offers of a block that is gone are as good as those of any other block: the proof tells. */
  undo(): void {
    return;
  }

  prepareRange(): Promise<BlockStep> {
    return Promise.resolve(NOTHING);
  }

  commitRange(): void {
    return;
  }

  /** A block costs no call, until the offers are some seconds old. */
  reads(): Read<Answers> {
    const tokens = [...new Set(this.tokens().map(({ address }) => address))];
    const isDue = this.clock.monotonicMs() - this.readAtMs >= ASK_EVERY_MS;
    if (!isDue || tokens.length === 0 || this.lenders.length === 0)
      return { calls: [], decode: () => undefined };
    const { calls, decode } = each(this.lenders.map((lender) => lender.offers(tokens)));
    return {
      calls,
      decode: (results) =>
        decode(results).flatMap((offers) =>
          offers.flatMap((offer, index): [Address, Offer][] => {
            const token = tokens[index];
            return offer && token !== undefined ? [[token, offer]] : [];
          }),
        ),
    };
  }

  view(answers: Answers): Offers {
    if (answers) {
      this.offers = Offers.of(answers);
      this.readAtMs = this.clock.monotonicMs();
    }
    return this.offers;
  }
}
