import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aNearPosition } from '../../testing/builders/near.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { leaveOut } from './left-out.js';
import { limits } from './limits.js';
import { listPositions } from './positions-list.js';
import { showStatus, steer, type BotSources } from './bot-commands.js';

describe('npx chimera status, halt and resume', () => {
  let api: ApiApp;
  let printed: string[];
  let key: string | undefined;
  let asked: string[];

  beforeEach(async () => {
    api = await startApi();
    [printed, asked, key] = [[], [], OPERATOR_KEY];
  });
  afterEach(() => api.close());

  const port = (): number => (api.server.address() as AddressInfo).port;
  const sources = (at = port()): BotSources => ({
    load: () => Promise.resolve({ api: { host: '0.0.0.0', port: at, allowedHosts: [], keys: [] } }),
    read: (name) => (name === 'CHIMERA_API_KEY' ? key : undefined),
  });
  const silent = {
    print: (line: string) => printed.push(line),
    remark: (line: string) => printed.push(line),
  };
  const answering = (answer: string) => ({
    ...silent,
    ask: (question: string) => Promise.resolve((asked.push(question), answer)),
  });

  it('status: prints a line for each subject', async () => {
    key = VIEWER_KEY;
    expect(await showStatus({}, silent, sources())).toBe(0);
    const text = printed.join('\n');
    for (const line of [
      /^bot +base \(chain 8453\), dry-run, running, lease: dry-run$/m,
      /^state +NORMAL for .*: .* \(chimera\)$/m,
      /^head +block 100, \d+ s behind the clock, last pass 1\.2 s ago$/m,
      /^endpoint +primary /m,
      /^positions +50 positions, 3 liquidatable, 1 in flight, 0 set aside$/m,
      /^search +aave: borrowers are known up to block 60 of 100$/m,
      /^volume +\$0\.00 of \$2,500\.50 used today$/m,
      /^fees +.* ETH of .* ETH used today, .* ETH reserved$/m,
      /^wallet +.* ETH may be spent; nothing is signed below 0\.1 ETH$/m,
      /^outcomes +in 24 h 0 won, .*; of all races 75 % were won$/m,
      /^database +serves, 3 ms$/m,
      /^alerts +0 active alerts$/m,
    ])
      expect(text).toMatch(line);
  });

  it('status --json: prints the answer of the API, also with --url', async () => {
    await showStatus({ json: true, url: `http://127.0.0.1:${port()}/` }, silent, sources(0));
    expect(JSON.parse(printed.join('\n'))).toMatchObject({
      network: { name: 'base', chainId: 8453 },
      safety: { state: 'NORMAL' },
      positions: { total: 50 },
    });
  });

  it('positions list: prints a line for each position near the edge, and takes as many pages as it wants', async () => {
    key = VIEWER_KEY;
    api.world.near = Array.from({ length: 250 }, (_, index) => aNearPosition(index));
    expect(await listPositions({ below: '1.1', limit: '240' }, silent, sources())).toBe(0);
    expect(printed).toHaveLength(241);
    expect(printed[0]).toBe(
      '  0.9500  0x0000000000000000000000000000000000000001  aave: 10 WETH ($25,000.00) against 23,500 USDC ($23,500.00)',
    );
    expect(printed.at(-1)).toBe('250 positions below 1.1 at block 100, 240 of them listed');
    expect(new Set(printed).size).toBe(241);
    printed = [];
    await listPositions({ json: true, market: 'other' }, silent, sources());
    expect(JSON.parse(printed.join('\n'))).toMatchObject({ block: { number: 100 }, positions: [] });
    await expect(listPositions({ limit: '0' }, silent, sources())).rejects.toThrow(
      /^--limit: a whole number/,
    );
    await expect(listPositions({ below: '2' }, silent, sources())).rejects.toThrow(
      /below must be at most 1\.1/,
    );
  });

  it('limits: shows them, narrows them with a reason, and sets them back', async () => {
    expect(await limits({}, silent, sources())).toBe(0);
    expect(printed[0]).toBe('maxSingleExecutionUsd  $500.00 (configured: $500.00)');
    printed = [];
    const set = ['maxSingleExecutionUsd=250', 'minProfitUsd=10'];
    await limits({ set, reason: 'quiet', yes: true }, silent, sources());
    expect(printed[0]).toMatch(/ {2}\$250\.00 \(configured: \$500\.00, set by ops: quiet\)$/);
    printed = [];
    await showStatus({}, silent, sources());
    expect(printed.join('\n')).toMatch(/^limit +maxSingleExecutionUsd \$250\.00: quiet \(ops\)$/m);
    printed = [];
    const back = { set: ['maxSingleExecutionUsd=configured'], reason: 'done', yes: true, json: true };
    await limits(back, silent, sources());
    expect(JSON.parse(printed.join('\n'))).toMatchObject({
      limits: [{ valueUsd: '500', setBy: null }, {}, { valueUsd: '10' }],
    });
    for (const wrong of ['maxSingleExecutionUsd', 'maxFeeEth=1', 'minProfitUsd=1=2'])
      await expect(limits({ set: [wrong], reason: 'r', yes: true }, silent, sources())).rejects.toThrow(
        /^--set: NAME=VALUE/,
      );
    await expect(limits({ set, yes: true }, silent, sources())).rejects.toThrow(/^--reason: /);
    await expect(limits({ set, reason: 'r' }, silent, sources())).rejects.toThrow(/^--yes: /);
    expect(await limits({ set, reason: 'r' }, answering('n'), sources())).toBe(1);
  });

  it('leaves a market and a borrower alone, and no longer', async () => {
    const given = { reason: 'odd prices', yes: true };
    const borrower = `0x${'b0'.repeat(20)}`;
    expect(await leaveOut('protocols pause', 'aave', given, silent, sources())).toBe(0);
    expect(printed).toEqual(['paused  aave: odd prices (ops)']);
    printed = [];
    await leaveOut('borrowers deny', borrower, given, silent, sources());
    expect(printed.at(-1)).toMatch(new RegExp(`^denied  ${borrower}: odd prices \\(ops\\)$`, 'i'));
    await leaveOut('protocols resume', 'aave', given, silent, sources());
    printed = [];
    await leaveOut('borrowers allow', borrower, given, silent, sources());
    expect(printed).toEqual(['no market is paused, and no borrower is denied']);
    await expect(leaveOut('protocols pause', 'none/../x', given, silent, sources())).rejects.toThrow(
      /protocol|market/,
    );
    await expect(leaveOut('borrowers deny', 'x', given, silent, sources())).rejects.toThrow(/address/);
    await expect(leaveOut('protocols pause', 'aave', { yes: true }, silent, sources())).rejects.toThrow(
      /^--reason: /,
    );
    expect(await leaveOut('protocols pause', 'aave', { reason: 'r' }, answering('n'), sources())).toBe(1);
    expect(asked).toEqual(['protocols pause aave? [y/N] ']);
  });

  it('halts and resumes with --yes, without a terminal', async () => {
    expect(await steer('halt', { reason: 'maintenance', yes: true }, silent, sources())).toBe(0);
    expect(printed).toEqual([expect.stringMatching(/^HALTED since .*, by chimera: maintenance$/)]);
    expect(api.world.safety.state).toBe('HALTED');
    printed = [];
    await steer('resume', { reason: 'done', yes: true, json: true }, silent, sources());
    expect(JSON.parse(printed.join('\n'))).toMatchObject({
      state: 'NORMAL',
      inFlight: { sentAgain: 2, cancelled: 1 },
    });
  });

  it('asks on a terminal, and does nothing without a yes', async () => {
    expect(await steer('halt', { reason: 'test' }, answering(''), sources())).toBe(1);
    expect(printed).toEqual(['nothing was done']);
    expect(api.world.safety.state).toBe('NORMAL');
    expect(await steer('halt', { reason: 'test' }, answering('y'), sources())).toBe(0);
    expect(api.world.safety.state).toBe('HALTED');
    expect(asked[0]).toBe('Halt the dry-run bot of base (chain 8453), which is NORMAL? [y/N] ');
  });

  it('refuses a halt without a reason, and one without --yes and without a terminal', async () => {
    await expect(steer('halt', { yes: true }, silent, sources())).rejects.toThrow(/^--reason: /);
    await expect(steer('halt', { reason: 'test' }, silent, sources())).rejects.toThrow(
      /^--yes: it was expected/,
    );
    expect(api.world.safety.state).toBe('NORMAL');
  });

  it('says what is wrong with the key', async () => {
    key = VIEWER_KEY;
    await expect(steer('halt', { reason: 'test', yes: true }, silent, sources())).rejects.toThrow(
      'CHIMERA_API_KEY: the role operator is needed, the key "reader" has the role viewer',
    );
    key = 'a-wrong-key';
    await expect(showStatus({}, silent, sources())).rejects.toThrow(
      /^CHIMERA_API_KEY: the bot at http:.* does not know/,
    );
    key = undefined;
    await expect(showStatus({}, silent, sources())).rejects.toThrow(
      /^CHIMERA_API_KEY: the environment variable has no value; set it \(or CHIMERA_API_KEY_FILE\)/,
    );
  });

  it('says what is wrong with an argument before it looks for the key', async () => {
    key = undefined;
    const borrower = `0x${'b0'.repeat(20)}`;
    const given = { reason: 'odd', yes: true };
    await expect(listPositions({ below: '2x' }, silent, sources())).rejects.toThrow(
      '--below: a health factor such as 1.05 was expected, not "2x"',
    );
    await expect(leaveOut('borrowers deny', '0x12', given, silent, sources())).rejects.toThrow(
      'an address (0x and 40 hex digits) was expected, not "0x12"',
    );
    await expect(leaveOut('borrowers deny', borrower, given, silent, sources())).rejects.toThrow(
      /^CHIMERA_API_KEY: /,
    );
    await expect(showStatus({ url: 'bot' }, silent, sources())).rejects.toThrow(/^--url: /);
  });

  it('says that no bot answers, or something else', async () => {
    const other = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
    const { port: at } = await new Promise<AddressInfo>((resolve) =>
      other.once('listening', () => resolve(other.address() as AddressInfo)),
    );
    await expect(showStatus({}, silent, sources(at))).rejects.toThrow(/answered 200, and not as the API/);
    await new Promise((resolve) => other.close(resolve));
    await expect(showStatus({}, silent, sources(at))).rejects.toThrow(
      `no bot answers at http://127.0.0.1:${at} (ECONNREFUSED); is it running, with this api.port?`,
    );
    await expect(showStatus({}, silent, sources(0))).rejects.toThrow(/^api\.port is 0/);
  });

  it.each(['http://bot.example.com', 'ftp://localhost', 'bot', 'https://me:secret@bot.example.com'])(
    'sends no key to %s',
    async (url) => {
      await expect(showStatus({ url }, silent, sources())).rejects.toThrow(/^--url: an https:\/\/ URL/);
    },
  );
});
