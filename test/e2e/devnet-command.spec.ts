import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BotProcess } from '../../devnet/stack/bot-process.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('npm run devnet', () => {
  it('says how a bot runs against it: with these two variables it starts, and finds every borrower', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'chimera-devnet-command-'));
    // PostgreSQL refuses root: another user has to reach its directory inside this one.
    await chmod(directory, 0o755);
    const options = ['--port', '0', '--api-port', '0', '--borrowers', '3', '--dir', directory];
    const command = ['--import', 'tsx', 'devnet/serve/main.ts', ...options];
    const chain = spawn(process.execPath, command, { cwd: root });
    try {
      const variables: Record<string, string> = {};
      for await (const line of createInterface(chain.stdout)) {
        expect(line.length <= 80 || line.includes('=')).toBe(true);
        const [, name, value] = /^ {2}export (\w+)=(.+)$/.exec(line) ?? [];
        if (name !== undefined && value !== undefined) variables[name] = value;
        if (line.includes('ends it')) break;
      }
      const { CHIMERA_CONFIG: file = '', OPERATOR_PRIVATE_KEY: key = '' } = variables;
      await chmod(join(root, file, '..'), 0o755);
      const environment = { CHIMERA_CONFIG: join(root, file), OPERATOR_PRIVATE_KEY: key };
      const bot = new BotProcess({ environment });
      const found = await bot.waitFor('backfill-finished', ({ market }) => market === 'aave');
      expect(found.borrowers).toBe(3);
      expect(await bot.stop()).toMatchObject({ code: 0 });
    } finally {
      chain.kill('SIGINT');
      const [code] = (await once(chain, 'exit')) as [number | null];
      await rm(directory, { recursive: true, force: true });
      expect(code).toBe(0);
    }
  }, 120_000);
});
