import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLANNED } from '../../testing/builders/executions.js';
import { VARIABLES, withSection } from '../../testing/configuration.js';
import { TestDatabase } from '../../testing/database.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { ExecutionDetail } from '../api/execution-detail.js';
import { parseConfig, type ChimeraConfig } from '../config/index.js';
import { ExecutionsRepository } from '../database/index.js';
import { completionScript } from './completion.js';
import { explain } from './explain.js';
import { migrateDatabase } from './migrate.js';
import { report } from './report.js';
import { registeredCommands } from './run.js';

const WETH = { address: `0x${'c0'.repeat(20)}`, symbol: 'WETH', decimals: 18 };
const USDC = { address: `0x${'de'.repeat(20)}`, symbol: 'USDC', decimals: 6 };
const HOP = { venue: 'uniswap-v3', pool: `0x${'aa'.repeat(20)}` };

/** A quoted cell, with its quotes doubled. */
const EVIL_CELL = /"(?:[^"]|"")*"/g;

describe('commands that read the database', () => {
  let database: TestDatabase;
  let printed: string[];
  const terminal = { print: (line: string) => printed.push(line), remark: () => undefined };

  beforeAll(async () => {
    database = await TestDatabase.start();
  });
  afterAll(() => database.stop());
  beforeEach(() => (printed = []));

  const load = (): Promise<ChimeraConfig> => {
    const { host, port, user, password, database: name } = database.server;
    const yaml = withSection('database', `{ host: '${host}', port: ${port}, name: '${name}' }`);
    return Promise.resolve(
      parseConfig(yaml, { ...VARIABLES, DB_USER: user, DB_PASSWORD: password.reveal() }),
    );
  };

  it('explain: tells a decision with its candidate, route, costs and bid', async () => {
    const id = await new ExecutionsRepository(database.database).insert({
      ...PLANNED,
      plan: {
        candidate: { collateral: WETH, debt: USDC },
        funding: { kind: 'flash-swap' },
        route: { parts: [{ quotedInput: 7n * 10n ** 18n, output: 9n * 10n ** 6n, hops: [HOP] }] },
        bid: { model: 'by-size', why: '15 % of the margin' },
        call: {},
      },
    });
    expect(await explain({ id }, terminal, load)).toBe(0);
    const text = printed.join('\n');
    for (const line of [
      new RegExp(`^execution +${id}, live, planned$`, 'm'),
      /^position +aave, 0x(b0){20}, market 0x(3d){32}$/m,
      /^health +health factor 0\.999999999999999999 at block 23000000, 0x0+1$/m,
      /^candidate +covers 100 USDC, worth \$100\.00$/m,
      /^candidate +takes 0\.0525 WETH$/m,
      /^funding +flash-swap$/m,
      /^route +7 WETH → 9 USDC through uniswap-v3 0x(aa){20}$/m,
      /^profit +\$12\.34 simulated, before costs$/m,
      /^costs +gas \$0\.00, L1 data .*, bid \$0\.00$/m,
      /^bid +by-size: 15 % of the margin$/m,
      /^profit +\$12\.34 left after all of them$/m,
    ])
      expect(text).toMatch(line);
    printed = [];
    await explain({ id, json: true }, terminal, load);
    const detail = JSON.parse(printed.join('\n')) as ExecutionDetail;
    expect(detail).toMatchObject({ id, debtToCover: '100000001', plan: { bid: { model: 'by-size' } } });
  });

  it('explain: tells who was first', async () => {
    const id = await new ExecutionsRepository(database.database).insert(PLANNED);
    await database.dataSource.query(
      `UPDATE executions SET outcome = 'lost', fees_wei = 1000000000000000, tx_hash = '0x${'12'.repeat(32)}',
         outcome_details = '{"rival":{"sender":"0xfe","hash":"0x34","block":9,"place":2,"tipPerGasWei":"5"}}'
       WHERE id = $1`,
      [id],
    );
    await explain({ id }, terminal, load);
    const text = printed.join('\n');
    expect(text).toMatch(/^candidate +covers 100000001 units of 0x(de){20}, worth/m);
    expect(text).toMatch(/^outcome +lost/m);
    expect(text).toMatch(/^rival +0xfe in 0x34, block 9, place 2, tip 5 wei per gas$/m);
    expect(text).toMatch(/^paid +0\.001 ETH$/m);
  });

  it('explain: refuses what is no execution', async () => {
    await expect(explain({ id: 'x' }, terminal, load)).rejects.toThrow(/^"x" is no execution; its number/);
    await expect(explain({ id: '999999' }, terminal, load)).rejects.toThrow(
      'the database has no execution 999999',
    );
  });

  describe('report', () => {
    const EVIL = '=HYPERLINK("http://x")<script>alert(1)</script>';
    const since = '2026-03-01';
    const until = '2026-03-04';
    const clock = new TestClock(Date.parse('2026-03-08T00:00:00Z'));
    const ran = (options: object): Promise<number> =>
      report({ since, until, format: 'text', ...options }, terminal, load, clock);

    beforeAll(async () => {
      const rows = [
        ...[
          ['2026-03-01T00:00:00Z', 'won', '12.5', null],
          ['2026-03-03T23:59:59Z', 'won', '7.25', null],
          ['2026-03-03T12:00:00Z', 'lost', '-0.75', EVIL],
        ],
        // Not in the period.
        ['2026-03-04T00:00:00Z', 'won', '100', null],
        ['2026-02-28T23:59:59Z', 'won', '100', null],
      ];
      for (const [at, outcome, profit, reason] of rows) {
        const id = await new ExecutionsRepository(database.database).insert({ ...PLANNED, chainId: 8453 });
        await database.dataSource.query(
          `UPDATE executions SET outcome = $2, realised_profit_usd = $3, reason = $4, fees_wei = 1000,
             settled_at = $5, status = $6 WHERE id = $1`,
          [id, outcome, profit, reason, at, outcome === 'won' ? 'succeeded' : 'reverted'],
        );
      }
    });

    it('says what a time brought, as the daily report does', async () => {
      await ran({});
      expect(printed[0]).toMatch(/^base from 2026-03-01 00:00 to 2026-03-04 00:00 UTC: 19\.00 USD$/);
      expect(printed[1]).toMatch(/^2 won \(66 % of the races\), 1 lost/);
    });

    it('prints a row for each execution as CSV, whose profits add up to the same', async () => {
      await ran({ format: 'csv' });
      const [head = '', ...lines] = printed;
      const place = head.split(',').indexOf('realised_profit_usd');
      const [first, lost, last] = lines;
      expect(lines).toHaveLength(3);
      expect(first?.split(',')[place]).toBe('12.5');
      expect([last, lost].map((line) => line?.replace(EVIL_CELL, '').split(',')[place])).toEqual([
        '-0.75',
        '7.25',
      ]);
      expect(last).toContain(`,"'=HYPERLINK(""http://x"")<script>`);
    });

    it('is a page of HTML in which a reason is text, with each day of the period', async () => {
      await ran({ format: 'html' });
      const [page = ''] = printed;
      expect(page).not.toContain('<script');
      expect(page).toContain('=HYPERLINK(&#34;http://x&#34;)&#60;script&#62;');
      expect(page.match(/<tr><td>2026-03-0\d/g)).toHaveLength(3);
      expect(page.match(/<svg/g)).toHaveLength(1);
    });

    it('gives the figures as JSON, all days in it', async () => {
      await ran({ json: true });
      const answer = JSON.parse(printed.join('')) as { days: { day: string; realisedUsd8: string }[] };
      expect(answer.days.map(({ day, realisedUsd8 }) => [day, realisedUsd8])).toEqual([
        ['2026-03-01', '1250000000'],
        ['2026-03-02', '0'],
        ['2026-03-03', '725000000'],
      ]);
    });

    it('counts back from now, and knows the wallets apart', async () => {
      await ran({ since: '7d', until: undefined, wallet: `0x${'99'.repeat(20)}` });
      expect(printed[0]).toMatch(/^base from 2026-03-01 00:00 to 2026-03-08 00:00 UTC: 0\.00 USD$/);
    });

    it.each([
      [{ since: 'yesterday' }, '--since: "yesterday" was given; 30m, 24h, 7d or 2w, a day'],
      [{ since: '2026-02-31T99:00Z' }, '--since: "2026-02-31T99:00Z" was given'],
      [{ since: '2026-03-05' }, '--since: "2026-03-05" was given; a time before 2026-03-04'],
      [{ since: '1900-01-01' }, 'at most 3660 days before'],
      [{ format: 'pdf' }, '--format: "pdf" was given; one of text, csv, html was expected'],
      [{ wallet: '0x1' }, '--wallet: "0x1" was given; an address was expected'],
    ])('refuses %j', async (options, sentence) => {
      await expect(ran(options)).rejects.toThrow(sentence);
    });
  });

  it('migrate: says what is missing, brings it up to date, and says that it is', async () => {
    expect(await migrateDatabase({ check: true }, terminal, load)).toBe(0);
    expect(printed).toEqual(['the tables are up to date']);
    const { server } = database;
    const { revertLastMigration } = await import('../database/index.js');
    await revertLastMigration(server);
    printed = [];
    expect(await migrateDatabase({ check: true }, terminal, load)).toBe(1);
    expect(printed[0]).toMatch(/^the tables are not up to date; to run: [A-Za-z]+\d+$/);
    expect(await migrateDatabase({}, terminal, load)).toBe(0);
    expect(printed[1]).toMatch(/^the tables were brought up to date: [A-Za-z]+\d+$/);
    expect(await migrateDatabase({ json: true }, terminal, load)).toBe(0);
    expect(JSON.parse(printed[2]!)).toEqual({ upToDate: true, ran: [], pending: [] });
  });
});

describe('npx chimera completion', () => {
  it.each([
    [['chimera', 'pos'], ['positions']],
    [
      ['npx', 'chimera', 'positions', ''],
      ['export', 'import', 'list'],
    ],
    [['chimera', 'positions', 'import', '--file', 'x', '--in'], ['--incomplete']],
    [
      ['chimera', 'completion', ''],
      ['bash', 'zsh', '--json', '--help'],
    ],
    [['npx', 'other', ''], []],
  ])('completes %j in bash', async (words, expected) => {
    const script = completionScript('bash', await registeredCommands());
    const typed = words.map((word) => `'${word}'`).join(' ');
    const lines = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _chimera; echo "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['--norc', '-c', `${script}\n${lines}`], { encoding: 'utf8' });
    const found = out
      .trim()
      .split(' ')
      .filter((word) => word !== '');
    expect(found.sort()).toEqual([...expected].sort());
  });
});
