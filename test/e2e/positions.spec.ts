import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoBorrowers, operatorPrivateKey } from '../../devnet/index.js';
import { botConfig } from '../../devnet/stack/bot-config.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { ExportedPositions } from '../../src/cli/positions-export.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { eventually } from '../../testing/eventually.js';

const BORROWERS = 4;

let stack: Stack;
let directory: string;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(BORROWERS), settings: { mode: 'dry-run' } });
  directory = mkdtempSync(join(tmpdir(), 'chimera-positions-'));
  const { host, port, database } = stack.postgres;
  const config = botConfig(stack.devnet, { host, port, database }, stack.keys, { mode: 'dry-run' });
  writeFileSync(join(directory, 'chimera.yaml'), config);
});

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await stack.stop();
});

/** As an operator types it, in the project. */
async function chimera(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const { user, password } = stack.postgres;
  const npx = spawn('npx', ['--no-install', 'chimera', 'positions', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CHIMERA_CONFIG: join(directory, 'chimera.yaml'),
      RPC_PRIMARY_HTTP: stack.devnet.rpcUrl,
      RPC_PRIMARY_WS: stack.devnet.wsUrl,
      DB_USER: user,
      DB_PASSWORD: password.reveal(),
      OPERATOR_PRIVATE_KEY: operatorPrivateKey,
    },
  });
  const texts = { out: '', err: '' };
  npx.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  npx.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
  const [code] = (await once(npx, 'close')) as [number];
  return { code, ...texts };
}

describe('npx chimera positions', () => {
  it('takes the borrowers of a running bot to an empty database, and the next bot searches nothing', async () => {
    const file = join(directory, 'positions.ndjson.gz');
    const first = await stack.startBot();
    // Positions that were found are stored with the next checkpoint.
    await eventually(async () => {
      await stack.devnet.mine();
      const [row] = await stack.query<{ unread: string }>(
        'SELECT count(*) AS unread FROM positions WHERE state IS NULL',
      );
      return row?.unread === '0';
    }, 'every position to be stored');
    const { code, out, err } = await chimera('export', '--file', file, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { markets } = JSON.parse(out) as ExportedPositions;
    expect(markets).toMatchObject([{ name: 'aave', kind: 'aave-v3', accounts: BORROWERS }]);

    expect(await chimera('import', '--file', file)).toEqual({
      code: 1,
      out: '',
      err: 'chimera positions import: a bot of chain 31337 is running (one is connected, and wrote positions in the last five minutes), and would write over the import; one that is stopped was expected\n',
    });
    await first.stop();
    await stack.query('TRUNCATE positions, checkpoints');
    const taken = await chimera('import', '--file', file);
    expect({ code: taken.code, err: taken.err }).toEqual({ code: 0, err: '' });
    expect(taken.out).toMatch(
      /^aave: 4 accounts of the file, 0 more of the database, 0 that borrowed later; at block \d+ 4 have debt, and their debts are all debts of the market\nthe bot begins with them at its next start\n$/,
    );

    const events: BotEvent[] = [];
    const second = await stack.startBot((event) => events.push(event));
    const heard = (name: BotEvent['event']): boolean => events.some(({ event }) => event === name);
    await eventually(() => heard('positions-complete'), 'the sums of the debts to be compared');
    expect(heard('backfill-range')).toBe(false);
    await second.stop();
  });
});
