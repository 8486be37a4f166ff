import { Kind } from '../contract/bindings.js';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operatorPrivateKey, startDevnet, type Devnet } from '../../devnet/index.js';
import { botConfig, newApiKeys } from '../../devnet/stack/bot-config.js';
import { answersAlways, answersTo, passedOn } from '../../testing/answering-code.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { send } from '../../testing/send.js';
import { parseConfig } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import { preflight } from './preflight.js';

/** Where nothing is deployed. */
const NOWHERE = '0x00000000000000000000000000000000000c0de0';
/** Where a test puts a contract. */
const OTHER = '0x00000000000000000000000000000000000c0de1';
const ETHER_18 = 10n ** 18n;

let devnet: Devnet;
let clean: string;

beforeAll(async () => {
  Logger.overrideLogger(false);
  devnet = await startDevnet();
});

beforeEach(async () => {
  clean = await devnet.snapshot();
});

afterEach(() => devnet.revert(clean));

afterAll(() => devnet.stop());

describe('the check of the chain before the start', () => {
  it('finds nothing wrong with the local chain', async () => {
    expect(await problems()).toEqual([]);
  });

  it('names each key whose contract is not there, optional ones too', async () => {
    const { chimera, addressesProvider, nativeUsdFeed, uniswapFactory, slipstreamFactory } = devnet.addresses;
    for (const [key, address] of [
      ['execution.chimera', chimera],
      ['protocols (aave).addressesProvider', addressesProvider],
      ['oracles.nativeUsdFeed', nativeUsdFeed],
      ['liquidity.uniswapV3.factory', uniswapFactory],
      ['liquidity.factories (slipstream).factory', slipstreamFactory],
    ] as const)
      expect(await problems((yaml) => yaml.replaceAll(address, NOWHERE))).toContainEqual(
        expect.stringMatching(`^${key.replace(/[()]/g, '\\$&')}: there is no contract at ${NOWHERE}`),
      );
    for (const key of ['morpho', 'aavePool', 'balancerVault', 'balancerV3Vault'])
      expect(await problems((yaml) => yaml.replace(/flash: .*/, `flash: { ${key}: "${NOWHERE}" }`))).toEqual([
        expect.stringMatching(`^liquidity\\.flash\\.${key}: there is no contract at ${NOWHERE}`),
      ]);
  });

  it('F19 one of primary and backup does not serve: it starts with the other; with none it does not', async () => {
    const node = await FakeRpc.start();
    node.forwardTo(devnet.rpcUrl);
    const withBackup =
      (url: string) =>
      (yaml: string): string =>
        yaml.replace(/^rpc:\n/m, `$&  backup: { http: "${url}" }\n`);
    try {
      node.failMethod('eth_chainId', { kind: 'status', status: 502 });
      expect(await problems(withBackup(devnet.rpcUrl), node.url('http'))).toEqual([]);
      expect(await problems(withBackup(node.url('http')))).toEqual([]);
      expect(await problems(withBackup(node.url('http')), node.url('http'))).toEqual([
        expect.stringMatching(/^rpc\.primary cannot be used: /),
        expect.stringMatching(/^rpc\.backup cannot be used: /),
      ]);
    } finally {
      await node.stop();
    }
  });

  it('a fromBlock above the newest block', async () => {
    const { number } = await newest();
    expect(await problems((yaml) => yaml.replace('fromBlock: 0', `fromBlock: ${number}`))).toEqual([]);
    expect(await problems((yaml) => yaml.replace('fromBlock: 0', `fromBlock: ${number + 1}`))).toEqual([
      `protocols (aave).fromBlock: block ${number + 1} is above the newest block, ${number}; the block in which the market was deployed was expected`,
    ]);
  });

  it('a Chimera that was deployed with another wrapped native token', async () => {
    const { chimera } = devnet.addresses;
    const { cbETH, WETH } = devnet.tokens;
    await put(answersTo('weth()', BigInt(cbETH.address), passedOn(chimera, 'staticcall')));
    expect(await problems((yaml) => yaml.replaceAll(chimera, OTHER))).toEqual([
      `execution.chimera: the contract ${OTHER} takes ${cbETH.address.toLowerCase()} for the wrapped native token; on chain 31337 it is ${WETH.address.toLowerCase()}, and a contract deployed with it was expected`,
    ]);
  });

  it('a Chimera that is paused, and one that does not list the market', async () => {
    const { deployer } = devnet.accounts;
    const { chimera } = devnet.contracts;
    await send(devnet, deployer, chimera, 'pause');
    expect(await problems()).toEqual([expect.stringMatching(/^execution\.chimera: .* is paused; its owner/)]);
    await send(devnet, deployer, chimera, 'unpause');
    await send(devnet, deployer, chimera, 'setCounterparty', devnet.addresses.pool, 0);
    expect(await problems()).toEqual([
      expect.stringMatching(/^protocols \(aave\): .* may not call 0x.*; its owner has to list it as /),
      // It is a lender, too.
      expect.stringMatching(/^liquidity\.flash\.aavePool: .* may not call 0x/),
    ]);
  });

  it('a lender that the contract does not list, or lists as another kind', async () => {
    const { deployer } = devnet.accounts;
    const { chimera } = devnet.contracts;
    for (const kind of [Kind.None, Kind.BalancerV3]) {
      await send(devnet, deployer, chimera, 'setCounterparty', devnet.addresses.balancerVault, kind);
      expect(await problems()).toEqual([
        expect.stringMatching(
          /^liquidity\.flash\.balancerVault: .* may not call 0x.*; its owner has to list it as a vault of Balancer v2 /,
        ),
      ]);
    }
  });

  it('a token to be taken apart that is no vault, and one that is not there', async () => {
    const { address } = devnet.tokens.cbETH;
    const naming = (token: string) => (yaml: string) =>
      yaml.replace('wrappers: []', `wrappers: [{ token: "${token}", kind: erc4626 }]`);
    expect(await problems(naming(address))).toEqual([
      expect.stringMatching(
        /^liquidity\.wrappers \(0x.*\): .* does not answer asset\(\) .*; an ERC-4626 vault was expected$/,
      ),
    ]);
    expect(await problems(naming(NOWHERE))).toEqual([
      expect.stringMatching(/^liquidity\.wrappers \(0x.*\): there is no contract at /),
    ]);
  });

  it('each contract of another kind is named by its key, with what was expected', async () => {
    const { uniswapFactory, slipstreamFactory, solidlyFactory, pancakeFactory, morpho, pool, balancerVault } =
      devnet.addresses;
    // Each key gets the contract of its neighbour.
    const swapped = (yaml: string): string =>
      yaml
        .replace(/(name: slipstream.*factory: ")0x\w+/, `$1${solidlyFactory}`)
        .replace(/(name: aerodrome.*factory: ")0x\w+/, `$1${pancakeFactory}`)
        .replace(/(name: pancake.*factory: ")0x\w+/, `$1${uniswapFactory}`)
        .replace(
          /flash: .*/,
          `flash: { morpho: "${pool}", aavePool: "${balancerVault}", balancerVault: "${morpho}", balancerV3Vault: "${slipstreamFactory}" }`,
        );
    const found = (await problems(swapped)).filter((one) => one.includes('does not answer'));
    expect(found.map((one) => one.replace(/: the contract.*; /, ': '))).toEqual([
      'liquidity.factories (slipstream): a factory of Slipstream was expected',
      'liquidity.factories (aerodrome): a factory of Solidly was expected',
      'liquidity.factories (pancake): a factory of Pancake v3 was expected',
      'liquidity.flash.morpho: Morpho Blue was expected',
      'liquidity.flash.aavePool: a pool of Aave v3 was expected',
      'liquidity.flash.balancerVault: a vault of Balancer v2 was expected',
      'liquidity.flash.balancerV3Vault: a vault of Balancer v3 was expected',
    ]);
  });

  it('a factory of pools that the contract does not list, or lists as another kind', async () => {
    const { deployer } = devnet.accounts;
    const { chimera } = devnet.contracts;
    for (const kind of [Kind.None, Kind.Slipstream]) {
      await send(devnet, deployer, chimera, 'setCounterparty', devnet.addresses.solidlyFactory, kind);
      expect(await problems()).toEqual([
        expect.stringMatching(
          /^liquidity\.factories \(aerodrome\): .* may not call 0x.*; its owner has to list it as a factory of Solidly/,
        ),
      ]);
    }
  });

  it.each([
    ['in another unit', 'decimals()', 18n, /has 18 decimals; a price in USD with 8 decimals was expected/],
    ['that has no decimals', 'decimals()', ETHER_18, /has 1000000000000000000 decimals; /],
  ])('a feed of the native token %s', async (_, signature, word, sentence) => {
    const { nativeUsdFeed } = devnet.addresses;
    await put(answersTo(signature, word, passedOn(nativeUsdFeed, 'staticcall')));
    expect(await problems((yaml) => yaml.replaceAll(nativeUsdFeed, OTHER))).toEqual([
      expect.stringMatching(sentence),
    ]);
  });

  it('a feed of another asset is named by its description, with both prices', async () => {
    const { nativeUsdFeed } = devnet.addresses;
    const { feed } = devnet.tokens.cbBTC;
    const description: unknown = await devnet.feed('cbBTC').getFunction('description')();
    expect(await problems((yaml) => yaml.replaceAll(nativeUsdFeed, feed))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^oracles\\.nativeUsdFeed: the feed ${feed} \\("${String(description)}"\\) says \\d+ USD, but a lending market values the wrapped native token at 3000 USD`,
          'i',
        ),
      ),
    ]);
  });

  it('a pool of a later Aave is said to be of an unknown version', async () => {
    const { addressesProvider, pool } = devnet.addresses;
    await devnet.rpc('anvil_setCode', [NOWHERE, answersTo('POOL_REVISION()', 12n)]);
    await put(answersTo('getPool()', BigInt(NOWHERE), passedOn(addressesProvider, 'staticcall')));
    const found = await problems((yaml) => yaml.replaceAll(addressesProvider, OTHER));
    expect(found).toContainEqual(
      expect.stringMatching(/^protocols \(aave\): aave: the pool has POOL_REVISION 12, .* known: Aave 3\.0/),
    );
    await devnet.rpc('anvil_setCode', [NOWHERE, '0x']);
    await put(answersTo('getPool()', BigInt(pool), passedOn(addressesProvider, 'staticcall')));
    expect(await problems((yaml) => yaml.replaceAll(addressesProvider, OTHER))).toEqual([]);
  });

  it('a provider of another protocol, whose pool is no pool of Aave v3', async () => {
    await put(answersAlways(BigInt(devnet.addresses.chimera)));
    const found = await problems((yaml) => yaml.replaceAll(devnet.addresses.addressesProvider, OTHER));
    expect(found).toContainEqual(
      `protocols (aave): the pool ${devnet.addresses.chimera.toLowerCase()} has no POOL_REVISION; the addresses provider of an Aave v3 market was expected`,
    );
    expect(found.join()).not.toMatch(/primary|ABI data/);
  });

  it('a node that cannot simulate', async () => {
    const node = await FakeRpc.start();
    try {
      node.forwardTo(devnet.rpcUrl);
      node.on('eth_simulateV1', () => new NodeRefusal(-32601, 'the method eth_simulateV1 does not exist'));
      expect(await problems((yaml) => yaml, node.url('http'))).toEqual([
        expect.stringMatching(
          /^rpc\.primary: the node cannot simulate transactions with eth_simulateV1, by which plans are proved \(/,
        ),
      ]);
    } finally {
      await node.stop();
    }
  });
});

/** The sentences with which a bot of the changed configuration would refuse to start. */
async function problems(
  change: (yaml: string) => string = (yaml) => yaml,
  rpcUrl = devnet.rpcUrl,
): Promise<readonly string[]> {
  const nowhere = { host: '127.0.0.1', port: 1, database: 'none' };
  const yaml = botConfig(devnet, nowhere, newApiKeys(), { rpcUrl }).replace(
    /^database: .*$/m,
    "database: { embedded: true, dataDir: './unused' }",
  );
  try {
    await preflight(parseConfig(change(yaml), { OPERATOR_PRIVATE_KEY: operatorPrivateKey }));
    return [];
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
}

async function put(code: string): Promise<void> {
  await devnet.rpc('anvil_setCode', [OTHER, code]);
}

async function newest(): Promise<{ readonly number: number }> {
  return { number: Number(await devnet.rpc('eth_blockNumber')) };
}
