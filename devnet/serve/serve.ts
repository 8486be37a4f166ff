/** A local chain that stays, and a configuration for a bot of one's own against it. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { usd } from '../../src/monitoring/told/figures.js';
import { messageOf } from '../../src/domain/errors.js';
import { demoBorrowers } from '../borrowers/borrowers.js';
import { Devnet, operatorPrivateKey } from '../devnet.js';
import { botConfig, newApiKeys } from '../stack/bot-config.js';
import type { DevnetArguments } from './arguments.js';
import { parseOrder } from './orders.js';

/** Serves until `stopped` resolves. @param print one line of output */
export async function serve(
  { port, borrowers, blockMs, apiPort, dir }: DevnetArguments,
  print: (line: string) => void,
  stopped: Promise<void>,
): Promise<void> {
  const devnet = await Devnet.start({ port, onProgress: (step) => print(`  … ${step}`) });
  try {
    print(`  … opening ${borrowers} positions`);
    await devnet.openPositions(demoBorrowers(borrowers));
    await devnet.startMining(blockMs);
    await mkdir(dir, { recursive: true });
    const directory = await mkdtemp(join(dir, 'devnet-'));
    const keys = newApiKeys();
    const file = join(directory, 'chimera.yaml');
    const database = { dataDir: join(directory, 'postgres'), journalDir: join(directory, 'journal') };
    const settings = { beside: ['compound', 'morpho'], apiPort, logLevel: 'info' } as const;
    await writeFile(
      file,
      botConfig(devnet, database, keys, { ...settings, rpcUrl: devnet.rpcUrl, wsUrl: devnet.wsUrl }),
    );
    print('');
    print(`The chain is at ${devnet.rpcUrl} (chain id ${devnet.chainId}).`);
    print('To run the bot against it, in another terminal:');
    print('');
    print('  npm run build');
    print(`  export CHIMERA_CONFIG=${relative('.', file)}`);
    print(`  export OPERATOR_PRIVATE_KEY=${operatorPrivateKey}`);
    print('  npm start');
    print('');
    print(`Keys of its API at http://127.0.0.1:${apiPort}:`);
    print(`  operator ${keys.operator}`);
    print(`  viewer   ${keys.viewer}`);
    print('Its page, once it runs:');
    print(`  http://127.0.0.1:${apiPort}/dashboard#key=${keys.operator}`);
    print('');
    takeOrders(devnet, print);
    await stopped;
  } finally {
    await devnet.stop();
  }
}

/** On a terminal the operator sets prices by hand. */
function takeOrders(devnet: Devnet, print: (line: string) => void): void {
  if (!process.stdin.isTTY) {
    print('SIGINT ends it.');
    return;
  }
  print('Type "price WETH -5%" or "price WETH 2400" here to move the market.');
  print('Ctrl-C ends it.');
  createInterface(process.stdin).on('line', (line) => {
    if (line.trim() !== '') void order(devnet, line).then(print, (error: unknown) => print(messageOf(error)));
  });
}

async function order(devnet: Devnet, line: string): Promise<string> {
  const { symbol, usd8 } = parseOrder(line, await devnet.prices());
  await devnet.setPrice(symbol, usd8);
  return `${symbol} is at ${usd(usd8)}`;
}
