import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { startFakePool } from '../../../testing/nodes/fake-pool.js';
import { toNumber } from '../quantities.js';
import { USER_AGENT } from './user-agent.js';

it('each HTTP request says which program asks, with the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(USER_AGENT).toBe(`chimera/${version}`);
  const fakes = await startFakePool();
  const { pool, primary } = fakes;
  await pool.call('eth_blockNumber', [], toNumber);
  expect(primary.lastHeaders['user-agent']).toBe(USER_AGENT);
  await fakes.close();
});
