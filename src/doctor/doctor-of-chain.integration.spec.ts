import { once } from 'node:events';
import { createServer } from 'node:net';
import { computeAddress } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operatorPrivateKey } from '../../devnet/index.js';
import { answersTo, passedOn } from '../../testing/answering-code.js';
import { CheckUpWorld, replaced, type Defect } from '../../testing/check-up.js';
import { send } from '../../testing/send.js';
import { Kind } from '../contract/bindings.js';
import type { Area, Verdict } from './finding.js';

const NOWHERE = '0x00000000000000000000000000000000000c0de0';
const OTHER = '0x00000000000000000000000000000000000c0de1';

let world: CheckUpWorld;
let devnet: CheckUpWorld['devnet'];
let database: CheckUpWorld['database'];

beforeAll(async () => {
  world = await CheckUpWorld.start();
  ({ devnet, database } = world);
});
afterAll(async () => {
  await world.stop();
});

const looked: CheckUpWorld['looked'] = (defect) => world.looked(defect);
const found: CheckUpWorld['found'] = (...asked) => world.found(...asked);
const expectFound: CheckUpWorld['expectFound'] = (...asked) => world.expectFound(...asked);
const at: CheckUpWorld['at'] = (...change) => world.at(...change);

describe('the check-up', () => {
  describe('of the contract, the markets and the wallet', () => {
    const owner = (method: string, ...args: unknown[]): Promise<unknown> =>
      send(devnet, devnet.accounts.deployer, devnet.contracts.chimera, method, ...args);

    it('an address without code, and what depends on it is not asked', async () => {
      const defect = { yaml: (text: string) => text.replaceAll(devnet.addresses.chimera, NOWHERE) };
      await expectFound(
        defect,
        ['contract', 'code', 'problem'],
        /^execution\.chimera: there is no contract .* → a deployed/,
      );
      expect((await found(defect, 'contract', 'executor'))[0]).toMatchObject({ verdict: 'skipped' });
    });

    it('a factory of another kind', () =>
      expectFound(
        {
          yaml: (text) =>
            text.replace(/(name: slipstream.*factory: ")0x\w+/, `$1${devnet.addresses.solidlyFactory}`),
        },
        ['contract', 'kinds', 'problem'],
        /slipstream.* → a factory of Slipstream was expected/,
      ));

    it('a contract of another kind where ours should be', () =>
      expectFound(
        { yaml: (text) => text.replaceAll(devnet.addresses.chimera, devnet.addresses.nativeUsdFeed) },
        ['contract', 'our contract', 'problem'],
        /does not answer as a Chimera/,
      ));

    it('a wallet that is no executor', () =>
      at(
        () => owner('setExecutor', computeAddress(operatorPrivateKey), false),
        () =>
          expectFound(
            {},
            ['contract', 'executor', 'problem'],
            /no executor.* → its owner has to call setExecutor/,
          ),
      ));

    it('a contract that is paused', () =>
      at(
        () => owner('pause'),
        () => expectFound({}, ['contract', 'pause', 'problem'], /is paused → its owner has to call unpause/),
      ));

    it('a lender that the contract may not call', () =>
      at(
        () => owner('setCounterparty', devnet.addresses.balancerVault, Kind.None),
        () =>
          expectFound(
            {},
            ['contract', 'allowances', 'problem'],
            /balancerVault.* → its owner has to list it/,
          ),
      ));

    it('a contract for another factory', () =>
      at(
        () =>
          devnet.rpc('anvil_setCode', [
            OTHER,
            answersTo('factory()', 1n, passedOn(devnet.addresses.chimera, 'staticcall')),
          ]),
        () =>
          expectFound(
            { yaml: (text) => text.replaceAll(devnet.addresses.chimera, OTHER) },
            ['contract', 'factory', 'problem'],
            /another factory only → the two must be the same/,
          ),
      ));

    it('profit that goes to the owner', () =>
      at(
        () =>
          devnet.rpc('anvil_setCode', [
            OTHER,
            answersTo(
              'treasury()',
              BigInt(devnet.accounts.deployer),
              passedOn(devnet.addresses.chimera, 'staticcall'),
            ),
          ]),
        () =>
          expectFound(
            { yaml: (text) => text.replaceAll(devnet.addresses.chimera, OTHER) },
            ['contract', 'owner and treasury', 'warning'],
            /the owner too → let the owner call setTreasury/,
          ),
      ));

    it('a feed of another asset', () =>
      expectFound(
        { yaml: (text) => text.replaceAll(devnet.addresses.nativeUsdFeed, devnet.tokens.cbBTC.feed) },
        ['markets', 'price of the native token', 'problem'],
        /nativeUsdFeed.* → a difference of at most/,
      ));

    it('a feed that has not been written for long', () =>
      at(
        () => world.anHourPasses(),
        () =>
          expectFound(
            { yaml: replaced(/oracles: \{/, 'oracles: { maxAgeSeconds: 3000,') },
            ['markets', 'age of the price', 'problem'],
            /written 36\d\d s ago → see whether the feed still works/,
          ),
      ));

    it('a search that begins in the future', () =>
      expectFound(
        { yaml: replaced(/fromBlock: 0/, 'fromBlock: 99999999') },
        ['markets', 'first blocks', 'problem'],
        /above the newest block/,
      ));

    it.each<[string, () => Promise<unknown>, string, Verdict, RegExp]>([
      [
        'with little ether',
        () => wallet('anvil_setBalance', '0x1'),
        'balance',
        'problem',
        /holds .* ETH → at least 0\.1 ETH/,
      ],
      [
        'that cannot pay its limits',
        () => wallet('anvil_setBalance', '0xde0b6b3a7640000'),
        'balance and limits',
        'warning',
        /pays for 0 transactions.* → fund the wallet/,
      ],
      [
        'that has code',
        () => wallet('anvil_setCode', `0xef0100${NOWHERE.slice(2)}`),
        'code of the wallet',
        'warning',
        /EIP-7702.* → end the delegation/,
      ],
    ])('a wallet %s', (_, change, name, verdict, expected) =>
      at(change, () => expectFound({}, ['wallet', name, verdict], expected)),
    );

    it('a wallet without a key', () =>
      expectFound(
        { variables: { OPERATOR_PRIVATE_KEY: undefined } },
        ['wallet', 'balance', 'problem'],
        /OPERATOR_PRIVATE_KEY/,
      ));

    const wallet = (method: string, value: string): Promise<unknown> =>
      devnet.rpc(method, [computeAddress(operatorPrivateKey), value]);
  });

  describe('of the alerts and the API', () => {
    it('a port that another program has', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      await expectFound(
        { settings: { apiPort: port } },
        ['api', 'port', 'problem'],
        /in use by another program → a free port/,
      );
      server.close();
    });

    it.each<[string, Defect, readonly [Area, string, Verdict], RegExp]>([
      [
        'no channel',
        {},
        ['alerts', 'channels', 'warning'],
        /tells no operator.* → add one to alerts\.channels/,
      ],
      [
        'no operator',
        { yaml: replaced(/role: operator/, 'role: viewer') },
        ['api', 'keys', 'warning'],
        /no key of an operator → add one/,
      ],
      [
        'a public address',
        { yaml: replaced(/host: 127\.0\.0\.1\n/, 'host: 0.0.0.0\n') },
        ['api', 'address', 'warning'],
        /not encrypted → bind it/,
      ],
    ])('%s', (_, defect, where, expected) => expectFound(defect, where, expected));
  });

  describe('before the first live run', () => {
    it('wants a day of dry run, plans, and alerts that reach an operator', async () => {
      const live = (await looked({ live: true })).filter(({ area }) => area === 'live');
      expect(live.map(({ name, verdict }) => [name, verdict])).toEqual([
        ['dry run', 'problem'],
        ['faults', 'well'],
        ['plans', 'problem'],
        ['settings', 'problem'],
        ['alert drill', 'problem'],
      ]);
    });

    it('counts the hours of the dry run from its last long pause on, and halts of the bot by itself', async () => {
      const row = `INSERT INTO executions (protocol, borrower, block_number, block_hash, health_factor, mode, plan, status,
          chain_id, created_at, collateral_asset, debt_asset, debt_to_cover, expected_collateral, simulated_profit_usd,
          gas_cost_usd, l1_fee_usd, operator_fee_usd, pool_fee_usd, bid_usd, simulated_net_profit_usd, notional_usd)
        SELECT 'aave', $2, 1, $3, 1, 'dry-run', '{}', 'dry-run', $1, now() - h * interval '1 hour', $2, $2, 1, 1, 1, 0,
          0, 0, 0, 0, 1, 1 FROM generate_series($4::int, $5::int) AS h`;
      const values = [devnet.chainId, OTHER, `0x${'ab'.repeat(32)}`];
      await database.dataSource.query(row, [...values, 0, 10]);
      await database.dataSource.query(row, [...values, 20, 47]);
      const hours = async (): Promise<string> =>
        (await found({ live: true }, 'live', 'dry run'))[0]?.found ?? '';
      expect(await hours()).toMatch(/for 10\.0 hours/);
      await database.dataSource.query(row, [...values, 11, 19]);
      expect(await hours()).toMatch(/for 47\.0 hours/);
      await database.dataSource.query(
        `INSERT INTO state_transitions (chain_id, from_state, to_state, reason, actor, cause, at)
         VALUES ($1, 'NORMAL', 'HALTED', 'a stale feed', 'chain', 'chain', now())`,
        [devnet.chainId],
      );
      await expectFound(
        { live: true },
        ['live', 'faults', 'problem'],
        /halted 1 times.*a stale feed → follow/,
      );
    });
  });
});
