import { max, min, mulDivCeil, USD8 } from '../domain/money.js';
import type { Rival } from '../domain/outcome.js';

/** A transaction of ours that won a position, or lost it to a rival. */
export interface Race {
  readonly executionId: string;
  readonly outcome: 'won' | 'lost';
  /** The block on which it was planned. The races of one block are judged together. */
  readonly planBlock: number;
  /** The value of its profit before all costs, as simulated. */
  readonly sizeUsd8: bigint;
  /** What it offered. Wei per gas. */
  readonly tipPerGasWei: bigint;
  /** Of a lost race; undefined: it could not be read. */
  readonly rival?: Pick<Rival, 'tipPerGasWei'> | undefined;
}

/** What the races of one size say. */
export interface RaceLevel {
  /** What wins, as far as is known. Wei per gas; undefined before the first race. */
  readonly tipWei: bigint | undefined;
  /** The highest tip by which a rival won, less what was forgotten since. Wei per gas; 0: none. */
  readonly rivalWei: bigint;
  readonly won: number;
  readonly lost: number;
}

/** From the smallest size to the largest. */
export type RaceLevels = readonly RaceLevel[];

/**
 * Where a size ends, in multiples of the profit floor. A rival that offers a share of its profit offers more
 * for a larger position.
 */
const SIZE_ENDS = [4n, 16n, 64n] as const;
const SIZES = SIZE_ENDS.length + 1;

const NO_RACE: RaceLevel = { tipWei: undefined, rivalWei: 0n, won: 0, lost: 0 };

export const NO_RACES: RaceLevels = Array.from({ length: SIZES }, () => NO_RACE);

/** The size of a profit, from 0. */
export function sizeOf(profitUsd8: bigint, floorUsd8: bigint): number {
  const unit = max(floorUsd8, USD8);
  const index = SIZE_ENDS.findIndex((end) => profitUsd8 < end * unit);
  return index === -1 ? SIZE_ENDS.length : index;
}

/**
 * What all races together say, in the order in which they ended. A block counts once for each size: as lost
 * when anything of it was lost.
 */
export function levelsOf(races: readonly Race[], floorUsd8: bigint): RaceLevels {
  const levels = [...NO_RACES];
  for (let from = 0, to = 0; from < races.length; from = to) {
    const { planBlock } = races[from] ?? {};
    while (races[to]?.planBlock === planBlock && to < races.length) to += 1;
    const block = races.slice(from, to);
    for (let size = 0; size < SIZES; size++) {
      const own = block.filter(({ sizeUsd8 }) => sizeOf(sizeUsd8, floorUsd8) === size);
      if (own.length > 0) levels[size] = after(levels[size] ?? NO_RACE, own);
    }
  }
  return levels;
}

/** The level of a size after the races of one block. */
export function after(level: RaceLevel, races: readonly Race[]): RaceLevel {
  const lost = races.filter(({ outcome }) => outcome === 'lost');
  const counts = { won: level.won + races.length - lost.length, lost: level.lost + lost.length };
  return { ...(lost.length > 0 ? raised(level, lost) : lowered(level, races)), ...counts };
}

/**
 * After a loss: a quarter more than the rival paid, so that a rival that adds a little does not win again.
 * When the rival cannot be read: half more than we offered. A rival that paid less than we offered was
 * earlier, and a higher tip would not have helped. Never lower than before.
 */
function raised(level: RaceLevel, lost: readonly Race[]): RaceLevel {
  let { tipWei = 0n, rivalWei } = level;
  for (const { tipPerGasWei, rival } of lost) {
    tipWei = max(tipWei, tipPerGasWei);
    if (!rival) tipWei = max(tipWei, mulDivCeil(tipPerGasWei, 3n, 2n) + 1n);
    else if (rival.tipPerGasWei >= tipPerGasWei) {
      tipWei = max(tipWei, mulDivCeil(rival.tipPerGasWei, 5n, 4n) + 1n);
      rivalWei = max(rivalWei, rival.tipPerGasWei);
    }
  }
  return { ...level, tipWei, rivalWei };
}

/**
 * After wins: an eighth less, but not below an eighth more than the highest rival paid that won. That is
 * forgotten by a 512th with each block that is won: a loss costs a whole profit, and what is saved is a part
 * of a tip. So a rival that is gone is found out, and one that still offers the same wins once in some sixty
 * blocks.
 */
function lowered(level: RaceLevel, won: readonly Race[]): RaceLevel {
  const paidWei = won.map(({ tipPerGasWei }) => tipPerGasWei).reduce(max);
  const beforeWei = level.tipWei === undefined ? paidWei : min(level.tipWei, max(paidWei, level.rivalWei));
  const rivalWei = level.rivalWei - mulDivCeil(level.rivalWei, 1n, 512n);
  const aboveRivalWei = level.rivalWei === 0n ? 0n : mulDivCeil(level.rivalWei, 9n, 8n) + 1n;
  const lessWei = beforeWei - beforeWei / 8n;
  return { ...level, tipWei: min(beforeWei, max(lessWei, aboveRivalWei)), rivalWei };
}

/**
 * What the races say of a size: as much as of any smaller size at least. A size without a race takes the next
 * smaller one, or else the next larger one.
 *
 * @returns wei per gas; undefined before the first race.
 */
export function tipFor(levels: RaceLevels, size: number): bigint | undefined {
  const tips = levels.map(({ tipWei }) => tipWei);
  const upTo = tips.slice(0, size + 1).filter((tip) => tip !== undefined);
  return upTo.length > 0 ? upTo.reduce(max) : tips.slice(size + 1).find((tip) => tip !== undefined);
}
