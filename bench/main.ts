/** `npm run bench`: how fast the bot is, on the local chain with real contracts and the real build. */
import { parseArgs } from 'node:util';
import { BID_MODELS } from '../src/domain/bid.js';
import { messageOf } from '../src/domain/errors.js';
import { demoBorrowers } from '../devnet/borrowers/borrowers.js';
import { Narrator } from '../devnet/demo/narrator.js';
import { Follower, playScenario } from '../devnet/demo/run.js';
import { percentile } from '../devnet/demo/totals.js';
import { Stack } from '../devnet/stack/stack.js';
import type { Measurement } from './measurement.js';
import { apiLoad } from './api-load.js';
import { crash } from './crash.js';
import { crossings } from './crossings.js';
import { overhead } from './overhead.js';
import { races } from './races.js';
import { headToAllSent } from './send.js';

/** Enough for well over 30 liquidations. */
const BORROWERS = 80;
const LEAST_LIQUIDATIONS = 30;
const BLOCK_MS = 250;

const progress = (step: string): void => void process.stderr.write(`  … ${step}\n`);

/** From the arrival of the head that shows the opportunity to the raw transaction handed to the RPC. */
async function headToSend(): Promise<Measurement[]> {
  const borrowers = demoBorrowers(BORROWERS);
  const stack = await Stack.start({ borrowers, onProgress: progress });
  try {
    await stack.devnet.startMining(BLOCK_MS);
    const follower = new Follower();
    await stack.startBot((event) => follower.hear(event));
    const silent = new Narrator(() => undefined, new Map(), false);
    await playScenario(stack, follower, silent, () => false);
    const rows = await stack.query<{ block_number: string; head_to_send_us: number }>(
      `SELECT block_number::text, head_to_send_us FROM executions
        WHERE status = 'succeeded' AND head_to_send_us IS NOT NULL ORDER BY created_at`,
    );
    if (rows.length < LEAST_LIQUIDATIONS)
      throw new Error(
        `only ${rows.length} liquidations happened, ${LEAST_LIQUIDATIONS} are needed to measure`,
      );
    const all = rows.map((row) => row.head_to_send_us / 1000);
    const firstOfBlock = rows
      .filter((row, index) => row.block_number !== rows[index - 1]?.block_number)
      .map((row) => row.head_to_send_us / 1000);
    const of = `${rows.length} liquidations of ${BORROWERS} borrowers, blocks of ${BLOCK_MS} ms`;
    return [
      { name: 'headToSend.p50', value: percentile(all, 50), unit: 'ms', note: of },
      { name: 'headToSend.p99', value: percentile(all, 99), unit: 'ms', note: of },
      {
        name: 'headToSend.firstOfBlock.p50',
        value: percentile(firstOfBlock, 50),
        unit: 'ms',
        note: `the first transaction of each of ${firstOfBlock.length} blocks: no other transaction was waiting before it`,
      },
    ];
  } finally {
    await stack.stop();
  }
}

// Chain, database, bot and their directories end with the process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
try {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      api: { type: 'boolean', default: false },
      overhead: { type: 'boolean', default: false },
      pairs: { type: 'string', default: '6' },
      races: { type: 'boolean', default: false },
      'block-ms': { type: 'string', default: '200' },
      models: { type: 'string', default: BID_MODELS.join(',') },
      send: { type: 'boolean', default: false },
      plans: { type: 'string', default: '1,5,20,50' },
      rtt: { type: 'string', default: '0,15,40' },
      crash: { type: 'boolean', default: false },
      positions: { type: 'string' },
      crossings: { type: 'boolean', default: false },
      seed: { type: 'string', default: '7' },
    },
  });
  if (!/^[1-9]\d?$/.test(values.pairs))
    throw new Error(`--pairs: "${values.pairs}" is not valid; a whole number from 1 to 99 was expected`);
  const sizes = values.plans.split(',').map(Number);
  if (!sizes.every((size) => [1, 5, 20, 50].includes(size)))
    throw new Error(`--plans: "${values.plans}" is not valid; some of 1,5,20,50 were expected`);
  const roundTripsMs = values.rtt.split(',').map(Number);
  if (!roundTripsMs.every((ms) => Number.isInteger(ms) && ms >= 0 && ms <= 1_000))
    throw new Error(`--rtt: "${values.rtt}" is not valid; milliseconds from 0 to 1000 were expected`);
  const blockMs = Number(values['block-ms']);
  if (!/^[1-9]\d{1,4}$/.test(values['block-ms']))
    throw new Error(`--block-ms: "${values['block-ms']}" is not valid; 10 to 99999 was expected`);
  const models = values.models.split(',').map((name) => BID_MODELS.find((one) => one === name));
  if (!models.every((model) => model !== undefined))
    throw new Error(
      `--models: "${values.models}" is not valid; some of ${BID_MODELS.join(',')} were expected`,
    );
  const { positions = values.crossings ? '200' : '2500' } = values;
  if (!/^[1-9]\d{1,3}$/.test(positions))
    throw new Error(`--positions: "${positions}" is not valid; a number from 10 to 9999 was expected`);
  if (!/^\d{1,9}$/.test(values.seed))
    throw new Error(`--seed: "${values.seed}" is not valid; a whole number was expected`);
  const measured = async (): Promise<Measurement[]> => {
    if (values.races) return races({ models, blockMs }, progress);
    if (values.api) return apiLoad(Number(values.pairs), progress);
    if (values.overhead) return overhead(Number(values.pairs), progress);
    if (values.crossings) {
      return crossings({ seed: Number(values.seed), positions: Number(positions) }, progress);
    }
    if (values.crash) return crash(Number(positions), progress);
    return values.send ? headToAllSent({ sizes, roundTripsMs }, progress) : headToSend();
  };
  const measurements = await measured();
  if (values.json) console.log(JSON.stringify(measurements));
  else
    for (const { name, value, unit, note } of measurements)
      console.log(`${name.padEnd(30)} ${value} ${unit}   ${note}`);
  process.exit(0);
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exit(1);
}
