/** Logs decoded a second: by slicing hex, against ethers. */
import { changesOf } from '../../src/protocols/aave-v3/events.js';
import type { AaveMarket, Reserve } from '../../src/protocols/aave-v3/market.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';
import { percentile } from '../../devnet/demo/totals.js';
import { SeededRandom } from '../../devnet/random.js';
import * as logs from './logs.js';
import { measurement, timed, type GroupOptions, type Measurement } from './measurement.js';
import { addressOf, syntheticWorld } from './world.js';

const ROUNDS = 7;
const TRANSACTIONS = 40_000;
/** For ethers, which takes a hundred times as long. */
const FEW = 4_000;

/** What users do, each with the logs that it leaves in Aave, and how many of those change an account. */
const TRANSACTION_KINDS: readonly {
  readonly changes: number;
  readonly logs: (market: AaveMarket, reserve: Reserve, random: SeededRandom) => RawLog[];
}[] = [
  {
    changes: 1,
    logs: (market, reserve, random) => {
      const step = stepOf(reserve, random);
      return [
        ...logs.mint(reserve.variableDebtToken, step),
        logs.reserveDataUpdated(market, reserve, reserve.indexes),
        logs.action(market, 'Borrow', reserve, step.account, step.value),
      ];
    },
  },
  {
    changes: 1,
    logs: (market, reserve, random) => {
      const step = stepOf(reserve, random);
      return [
        ...logs.burn(reserve.variableDebtToken, step),
        logs.reserveDataUpdated(market, reserve, reserve.indexes),
        logs.action(market, 'Repay', reserve, step.account, step.value),
      ];
    },
  },
  {
    changes: 2,
    logs: (market, reserve, random) => {
      const step = stepOf(reserve, random);
      return [
        logs.reserveDataUpdated(market, reserve, reserve.indexes),
        ...logs.mint(reserve.aToken, step),
        logs.collateralFlag(market, reserve, step.account, true),
        logs.action(market, 'Supply', reserve, step.account, step.value),
      ];
    },
  },
  {
    changes: 2,
    logs: (market, reserve, random) => {
      const step = stepOf(reserve, random);
      return [
        logs.reserveDataUpdated(market, reserve, reserve.indexes),
        logs.collateralFlag(market, reserve, step.account, false),
        ...logs.burn(reserve.aToken, step),
        logs.action(market, 'Withdraw', reserve, step.account, step.value),
      ];
    },
  },
  {
    changes: 1,
    logs: (_market, reserve, random) => {
      const { account, value, index } = stepOf(reserve, random);
      return logs.balanceTransfer(reserve.aToken, account, stepOf(reserve, random).account, value, index);
    },
  },
];

export function decode({ progress }: GroupOptions): Measurement[] {
  progress('decoding logs');
  const { market } = syntheticWorld();
  const random = new SeededRandom(11);
  const reserves = [...market.reserves.values()];
  const made: RawLog[] = [];
  let expected = 0;
  for (let number = 0; number < TRANSACTIONS; number++) {
    const [reserve] = random.some(reserves, 1);
    const kind = TRANSACTION_KINDS[random.integer(0, TRANSACTION_KINDS.length - 1)];
    if (!reserve || !kind) continue;
    made.push(...kind.logs(market, reserve, random));
    expected += kind.changes;
  }
  // From JSON each time, as from a node: no text has been seen before.
  const text = JSON.stringify(made);
  const rates = Array.from({ length: ROUNDS }, () => {
    const fresh = JSON.parse(text) as RawLog[];
    let found = 0;
    const milliseconds = timed(() => {
      found = changesOf(market, fresh).accounts.length;
    });
    if (found !== expected) throw new Error(`${found} changes were decoded, there were ${expected}`);
    return (1_000 * fresh.length) / milliseconds;
  });
  const few = made.slice(0, FEW);
  const byEthers = Array.from({ length: 3 }, () => {
    const milliseconds = timed(() => {
      for (const log of few) if (!logs.EVENTS.parseLog(log)) throw new Error('ethers does not know a log');
    });
    return (1_000 * few.length) / milliseconds;
  });
  return [measurement('decode.logs', percentile(rates, 50), 'logs/s', percentile(byEthers, 50))];
}

function stepOf({ indexes }: Reserve, random: SeededRandom): logs.TokenStep {
  return {
    account: addressOf(random.integer(1, 1_000_000)),
    value: BigInt(random.integer(1, 1e15)),
    increase: BigInt(random.integer(1, 1e9)),
    index: indexes.liquidityIndex,
  };
}
