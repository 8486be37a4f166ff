import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { computeAddress } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operatorPrivateKey } from '../../devnet/index.js';
import { CheckUpWorld, replaced, type Defect } from '../../testing/check-up.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { hasRedis, startRedis } from '../../testing/redis.js';
import type { Area, Verdict } from './finding.js';
import { directory, envFinding, nodeFinding } from './machine.js';

const HOUR_MS = 3_600_000;

let world: CheckUpWorld;
let devnet: CheckUpWorld['devnet'];
let database: CheckUpWorld['database'];
let node: FakeRpc;

beforeAll(async () => {
  world = await CheckUpWorld.start();
  ({ devnet, database } = world);
  node = await FakeRpc.start();
  node.forwardTo(devnet.rpcUrl);
});
afterAll(async () => {
  await world.stop();
  await node.stop();
});

const looked: CheckUpWorld['looked'] = (defect) => world.looked(defect);
const found: CheckUpWorld['found'] = (...asked) => world.found(...asked);
const expectFound: CheckUpWorld['expectFound'] = (...asked) => world.expectFound(...asked);
const at: CheckUpWorld['at'] = (...change) => world.at(...change);

describe('the check-up', () => {
  it('asks more than 25 questions, and finds no problem with the local chain', async () => {
    const all = await looked({ settings: { wsUrl: devnet.wsUrl } });
    expect(all.filter(({ verdict }) => verdict === 'problem')).toEqual([]);
    expect(all.length).toBeGreaterThan(25);
    expect(new Set(all.map(({ area, name }) => `${area} ${name}`)).size).toBeGreaterThan(25);
    expect(all.every(({ verdict, cure }) => verdict === 'well' || cure !== undefined)).toBe(true);
  });

  it('changes no row, sends no transaction, and holds no URL, key or password in what it says', async () => {
    const counted = async (): Promise<unknown> =>
      database.dataSource.query(
        'SELECT (SELECT count(*) FROM executions), (SELECT count(*) FROM operator_actions)',
      );
    const wallet = computeAddress(operatorPrivateKey);
    const before = [await counted(), await devnet.rpc('eth_getTransactionCount', [wallet, 'pending'])];
    const said = JSON.stringify(await looked({ settings: { wsUrl: 'ws://127.0.0.1:1/a-secret-path' } }));
    expect([await counted(), await devnet.rpc('eth_getTransactionCount', [wallet, 'pending'])]).toEqual(
      before,
    );
    for (const secret of [
      devnet.rpcUrl,
      'a-secret-path',
      operatorPrivateKey,
      database.server.password.reveal(),
    ])
      expect(said).not.toContain(secret);
  });

  describe('of the configuration and the machine', () => {
    it.each<[string, Defect, RegExp]>([
      ['an unknown key', { yaml: (text) => `${text}\nplaner: {}\n` }, /planer.* → /],
      [
        'a number that is a word',
        { yaml: replaced(/chainId: \d+/, 'chainId: many') },
        /network\.chainId.* → .*expected/,
      ],
      ['a missing user of the database', { variables: { DB_USER: undefined } }, /DB_USER.* → set DB_USER/],
    ])('%s', (_, defect, expected) =>
      expectFound(defect, ['configuration', 'configuration file', 'problem'], expected),
    );

    it('a version of Node.js that is not tested', () => {
      const { verdict, cure } = nodeFinding('18.20.0');
      expect([verdict, cure]).toEqual(['warning', 'install the newest 22 (or 20.19 and later of 20)']);
      expect(nodeFinding('22.12.0')).toMatchObject({ verdict: 'well' });
    });

    it('a disk without room', async () => {
      const finding = await directory('journal.dir', join(world.dir, 'not', 'there', 'yet'), 1e9);
      expect(finding).toMatchObject({ verdict: 'problem', cure: 'make room: 1000000000 GiB or more' });
    });

    it('a file of secrets that others may read', async () => {
      const file = join(world.dir, '.env');
      writeFileSync(file, '');
      chmodSync(file, 0o644);
      expect(await envFinding(file)).toMatchObject({ verdict: 'warning', cure: `chmod 600 ${file}` });
      chmodSync(file, 0o600);
      expect(await envFinding(file)).toMatchObject({ verdict: 'well' });
      rmSync(file);
    });
  });

  describe('of the database', () => {
    it.each<[string, Defect, RegExp]>([
      [
        'away',
        {
          settings: { databasePort: 1 },
          yaml: replaced(/^database: .*$/m, 'database: { host: 127.0.0.1, port: 1, name: none }'),
        },
        /127\.0\.0\.1/,
      ],
      ['another password', { variables: { DB_PASSWORD: 'wrong' } }, /password/],
    ])('%s', (_, defect, expected) => expectFound(defect, ['database', 'reachable', 'problem'], expected));

    it('a clock that is an hour off', () =>
      expectFound(
        { clock: new TestClock(Date.now() + HOUR_MS) },
        ['database', 'clock', 'problem'],
        /^its clock and the one of this machine are 3[56]\d{5} ms apart → set both by NTP/,
      ));

    it('tables of a newer version', async () => {
      await database.dataSource.query(
        "INSERT INTO migrations (timestamp, name) VALUES (9e12, 'Later9000000000000')",
      );
      await expectFound({}, ['database', 'tables', 'problem'], /newer version: Later9\d+ → run that version/);
      await database.dataSource.query("DELETE FROM migrations WHERE name LIKE 'Later%'");
    });

    it('tables that lack a migration', async () => {
      const last = 'WHERE id = (SELECT max(id) FROM migrations)';
      await database.database.query(`CREATE TABLE taken AS SELECT * FROM migrations ${last}`);
      await database.database.query(`DELETE FROM migrations ${last}`);
      await expectFound(
        {},
        ['database', 'tables', 'warning'],
        /^1 migrations are to run: .* → the bot runs them/,
      );
      await database.database.query('INSERT INTO migrations SELECT * FROM taken');
      await database.database.query('DROP TABLE taken');
    });

    it('a bot that is HALTED', async () => {
      await database.dataSource.query(
        `INSERT INTO safety_state (chain_id, state, reason, actor, consecutive_failures, since, version)
         VALUES ($1, 'HALTED', 'too many failures', 'failures', 3, now(), 1)`,
        [devnet.chainId],
      );
      await expectFound(
        {},
        ['database', 'safety state', 'problem'],
        /^HALTED: too many failures → .* resume/,
      );
      await database.dataSource.query('DELETE FROM safety_state WHERE chain_id = $1', [devnet.chainId]);
    });
  });

  describe('of Redis', () => {
    it('away', () =>
      expectFound(
        { settings: { redisPort: 1 } },
        ['redis', 'Redis', 'problem'],
        /^it does not answer .* → correct redis/,
      ));

    it.skipIf(!hasRedis)('one that refuses writes when it is full', async () => {
      const redis = await startRedis('--maxmemory', '10mb', '--maxmemory-policy', 'noeviction');
      try {
        await expectFound(
          { settings: { redisPort: redis.port } },
          ['redis', 'Redis', 'warning'],
          /noeviction.* → set maxmemory-policy allkeys-lru/,
        );
      } finally {
        await redis.stop();
      }
    });
  });

  describe('of the endpoints', () => {
    const through = (): Defect => ({ settings: { rpcUrl: node.url('http') } });
    const refusing = async (
      method: string,
      refusal: (params: readonly unknown[]) => unknown,
      look: () => Promise<void>,
    ): Promise<void> => {
      const original = (params: readonly unknown[]): unknown => devnet.rpc(method, [...params]);
      node.on(method, (params) => refusal(params) ?? original(params));
      try {
        await look();
      } finally {
        node.on(method, original);
      }
    };

    it('one that does not serve', async () => {
      const dead = { settings: { rpcUrl: 'http://127.0.0.1:1' } };
      await expectFound(
        dead,
        ['endpoints', 'reachable', 'problem'],
        /^rpc\.primary: .* → see whether the URL/,
      );
      expect((await found(dead, 'contract', 'code'))[0]).toMatchObject({ verdict: 'skipped' });
    });

    it('one of another chain', () =>
      refusing(
        'eth_chainId',
        () => '0x1',
        () =>
          expectFound(
            through(),
            ['endpoints', 'reachable', 'problem'],
            /^rpc\.primary: .*chain.*\b1\b.* → give the URL of a node of chain 31337/,
          ),
      ));

    it('one that is behind the other', () =>
      at(
        () => world.anHourPasses(),
        () =>
          refusing(
            'eth_getBlockByNumber',
            ([block]) =>
              block === 'latest' ? devnet.rpc('eth_getBlockByNumber', ['0x1', false]) : undefined,
            () =>
              expectFound(
                { settings: { backupUrl: node.url('http') } },
                ['endpoints', 'lag', 'problem'],
                /^rpc\.backup: its newest block is 36\d\d s behind .* → the bot does not ask it/,
              ),
          ),
      ));

    it('one that cannot simulate', () =>
      refusing(
        'eth_simulateV1',
        () => new NodeRefusal(-32601, 'the method eth_simulateV1 does not exist'),
        () =>
          expectFound(through(), ['contract', 'simulation', 'problem'], /^rpc\.primary: .*eth_simulateV1/),
      ));

    it('one that gives the logs of few blocks at once', () =>
      refusing(
        'eth_getLogs',
        () => new NodeRefusal(-32005, 'query exceeds max block range 10'),
        () =>
          expectFound(through(), ['endpoints', 'logs', 'warning'], /max block range 10.* → .*rpc\.archive/),
      ));

    it('one that has deleted its old logs', () =>
      refusing(
        'eth_getLogs',
        () => new NodeRefusal(4444, 'pruned history unavailable'),
        () =>
          expectFound(
            through(),
            ['endpoints', 'history', 'problem'],
            /first blocks of aave.*pruned.* → name an rpc\.archive/,
          ),
      ));

    it('heads that are an hour old', () =>
      expectFound(
        {
          clock: new TestClock(Date.now() + 2 * HOUR_MS),
          settings: { maxHeadAgeSeconds: 60 },
        },
        ['endpoints', 'head', 'problem'],
        /block \d+ is \d+ s old → see whether the chain stands still/,
      ));

    it.each<[string, Defect, readonly [Area, string, Verdict], RegExp]>([
      ['no WebSocket', {}, ['endpoints', 'WebSocket', 'warning'], /no WebSocket.* → set rpc\.primary\.ws/],
      [
        'a WebSocket that is not there',
        { settings: { wsUrl: 'ws://127.0.0.1:1' } },
        ['endpoints', 'WebSocket', 'problem'],
        /gives no heads \(.*\) → correct rpc\.primary\.ws/,
      ],
      ['no second endpoint', {}, ['endpoints', 'second endpoint', 'warning'], /one endpoint.* → name a node/],
      [
        'an open line to another machine',
        { settings: { rpcUrl: 'http://node.invalid' } },
        ['endpoints', 'encryption', 'warning'],
        /http: is not encrypted.* → use https/,
      ],
    ])('%s', (_, defect, where, expected) => expectFound(defect, where, expected));
  });
});
