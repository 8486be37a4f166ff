import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet, getAddress, toQuantity } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import { CREATE2_PROXY } from './creation.js';
import {
  DEPLOYER_KEY,
  addressIn,
  deployOn,
  npmRun,
  talkativeEndpoint,
  yamlOf,
  type Result,
} from '../../testing/deployment.js';
import type { SafeBatch } from './safe-batch.js';

const SAFE = getAddress(`0x${'5afe'.repeat(10)}`);
const ETHER = toQuantity(10n ** 18n);

let devnet: Devnet;
let directory: string;
let snapshot: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chimera-deploy-'));
  devnet = await startDevnet();
  await writeFile(join(directory, 'devnet.yaml'), yamlOf(devnet));
});

beforeEach(async () => {
  snapshot = await devnet.snapshot();
});

afterEach(() => devnet.revert(snapshot));

afterAll(async () => {
  await devnet.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a dry run', () => {
  it('says what would be done and at what cost, and sends nothing', async () => {
    const before = await nonceOf(devnet.accounts.deployer);
    const { code, out } = await deployContract(ownedByDeployer());
    expect(code).toBe(0);
    expect(out).toMatch(/dry run: nothing is sent/);
    expect(out).toMatch(/1\. deploy\n.*CREATE2.*\n\s+about [1-9],\d{3},\d{3} gas/);
    expect(out).toContain(`setExecutor(${devnet.accounts.operator}, true)`);
    expect(out).toContain('lists protocols (aave), liquidity.flash.aavePool as AaveV3');
    expect(out).toMatch(/estimate: 0\.\d+ ETH for .* 0\.0{1,7}[1-9]\d* ETH of it for data on L1/);
    expect(out).toMatch(/\nthe deployer has to hold at least 0\.\d+ ETH\n/);
    expect(out).toMatch(/the owner is the deployer.*a Safe is recommended/);
    expect(out).toMatch(
      /\n(0x[0-9a-fA-F]{40})\nchimera: "\1" {3}# in the section execution; or CHIMERA_ADDRESS=\1 in \.env$/,
    );
    expect(await devnet.rpc('eth_getCode', [addressIn(out), 'latest'])).toBe('0x');
    expect(await nonceOf(devnet.accounts.deployer)).toBe(before);
  });

  it('needs no key at all', async () => {
    const { code, json } = await deployContract(ownedByDeployer('--json'), {
      DEPLOYER_PRIVATE_KEY: '',
      OPERATOR_PRIVATE_KEY: '',
    });
    expect(code).toBe(0);
    expect(json).toMatchObject({
      status: 'dry-run',
      deployed: false,
      deployer: null,
      notes: [expect.stringMatching(/no executor is named/)],
      transactions: [{ call: 'deploy', by: 'deployer', hash: null }, { by: 'owner' }],
    });
  });
});

describe('--send', () => {
  it('deploys and configures; a second run, with the address in the file or without, does nothing', async () => {
    const first = await deployContract(ownedByDeployer('--send'));
    expect(first, first.err).toMatchObject({ code: 0 });
    expect(first.out).toMatch(/\nDone\.\n/);
    const address = addressIn(first.out);
    const chimera = devnet.contracts.chimera.attach(address);
    expect(await chimera.getFunction('isExecutor')(devnet.accounts.operator)).toBe(true);
    expect(await chimera.getFunction('kindOf')(devnet.addresses.pool)).toBe(1n);
    expect(await chimera.getFunction('owner')()).toBe(devnet.accounts.deployer);

    const nonce = await nonceOf(devnet.accounts.deployer);
    for (const CHIMERA_ADDRESS of ['', address]) {
      const again = await deployContract(ownedByDeployer('--send', '--json'), { CHIMERA_ADDRESS });
      expect(again).toMatchObject({
        code: 0,
        json: { status: 'nothing-to-do', address, transactions: [], safeBatch: null },
      });
    }
    expect(await nonceOf(devnet.accounts.deployer)).toBe(nonce);
  });

  it('changes only what differs: a new treasury, one more executor', async () => {
    const { out } = await deployContract(ownedByDeployer('--send'));
    const more = ['--executor', SAFE, '--executor', devnet.accounts.operator];
    const { code, json } = await deployContract(
      ['--owner', devnet.accounts.deployer, '--treasury', SAFE, ...more, '--send', '--json'],
      { CHIMERA_ADDRESS: addressIn(out) },
    );
    expect(code).toBe(0);
    expect(json).toMatchObject({
      status: 'done',
      treasury: SAFE,
      transactions: [{ call: `setTreasury(${SAFE})` }, { call: `setExecutor(${SAFE}, true)` }],
    });
  });

  it('leaves the roles to an owner who is not the deployer, and finds them once the owner has set them', async () => {
    const words = ['--owner', SAFE, '--treasury', devnet.accounts.treasury];
    const sent = await deployContract([...words, '--send']);
    expect(sent.code).toBe(0);
    expect(sent.out).toMatch(/\nDone, but for 2 calls of the owner\.\n/);
    const { json } = await deployContract([...words, '--send', '--json']);
    const { status, transactions, safeBatch } = json as Left;
    expect(status).toBe('owner-has-to-act');
    expect(safeBatch).toMatchObject({ chainId: '31337', meta: { createdFromSafeAddress: SAFE } });
    expect(safeBatch.transactions.map(({ data }) => data)).toEqual(transactions.map(({ data }) => data));

    await devnet.rpc('anvil_setBalance', [SAFE, ETHER]);
    for (const { to, data, call } of transactions) {
      expect(sent.out).toContain(`  ${call}:`);
      expect(sent.out).toContain(data);
      await (await devnet.signer(SAFE).sendTransaction({ to, data })).wait();
    }
    const done = await deployContract([...words, '--send']);
    expect(done.code).toBe(0);
    expect(done.out).toMatch(/\nNothing to do\.\n/);
  });

  it('takes a contract that was deployed in another way, when its code is right', async () => {
    const { code, json } = await deployContract(ownedByDeployer('--json'), {
      CHIMERA_ADDRESS: devnet.addresses.chimera,
    });
    expect(code).toBe(0);
    expect(json).toMatchObject({ deployed: true, address: devnet.addresses.chimera });
  });
});

describe('notes', () => {
  it('an ownership that is offered and not accepted, a pause, an owner who liquidates, a bot without a role', async () => {
    const { interface: abi, target: to } = devnet.contracts.chimera;
    const CHIMERA_ADDRESS = devnet.addresses.chimera;
    for (const data of [abi.encodeFunctionData('transferOwnership', [SAFE]), abi.encodeFunctionData('pause')])
      await (await devnet.signer(devnet.accounts.deployer).sendTransaction({ to, data })).wait();
    const words = ['--owner', SAFE, '--treasury', devnet.accounts.treasury, '--executor', SAFE, '--json'];
    const { code, json } = await deployContract(words, { CHIMERA_ADDRESS });
    expect(code).toBe(0);
    expect(json).toMatchObject({
      owner: devnet.accounts.deployer,
      pendingOwner: SAFE,
      paused: true,
      notes: [
        expect.stringMatching(/the bot's wallet \(OPERATOR_PRIVATE_KEY\) .* is not among the executors/),
        expect.stringMatching(/the owner is the deployer/),
        expect.stringMatching(/the owner is an executor as well/),
        expect.stringMatching(/the ownership is offered to 0x5afe\w+, which has not called acceptOwnership/),
        expect.stringMatching(/is paused: its owner has to call unpause/),
      ],
    });
  });
});

describe('stops with one sentence for each problem, and changes nothing', () => {
  it('missing options', async () => {
    expect(await problemsOf(['--treasury', '0x1'])).toEqual([
      expect.stringMatching(/^--owner: is missing/),
      expect.stringMatching(/^--treasury: "0x1" is not valid/),
    ]);
  });

  it('no file, and no key to send with', async () => {
    expect(await problemsOf(ownedByDeployer('--config', 'nowhere.yaml'))).toEqual([
      expect.stringMatching(/^--config: there is no file nowhere\.yaml/),
    ]);
    expect(await problemsOf(ownedByDeployer('--send'), { DEPLOYER_PRIVATE_KEY: '' })).toEqual([
      expect.stringMatching(/^DEPLOYER_PRIVATE_KEY: .* has no value, but transactions are to be sent/),
    ]);
  });

  it('another chain than the one configured', async () => {
    await writeFile(join(directory, 'other.yaml'), yamlOf(devnet).replace('chainId: 31337', 'chainId: 8453'));
    const variables = { DEPLOYER_PRIVATE_KEY: Wallet.createRandom().privateKey, OPERATOR_PRIVATE_KEY: '' };
    expect(await problemsOf(ownedByDeployer('--send', '--config', 'other.yaml'), variables)).toEqual([
      'rpc.primary answers chain id 31337, 8453 was expected',
    ]);
  });

  it('code that differs', async () => {
    const { out } = await deployContract(ownedByDeployer('--send'));
    const address = addressIn(out);
    const code = String(await devnet.rpc('eth_getCode', [address, 'latest']));
    await devnet.rpc('anvil_setCode', [address, code.replace(/..$/, '0b')]);
    const nonce = await nonceOf(devnet.accounts.deployer);
    expect(await problemsOf(ownedByDeployer('--send', '--executor', SAFE))).toEqual([
      expect.stringMatching(
        /^execution\.chimera: the code at 0x\w+ is not that of contracts\/src\/Chimera\.sol \(it has (\d+) bytes, \1 were expected, and the first that differs is number \d+\)/,
      ),
    ]);
    expect(await nonceOf(devnet.accounts.deployer)).toBe(nonce);
  });

  it('a contract made for another factory and another wrapped native coin', async () => {
    const { cbETH } = devnet.tokens;
    const yaml = yamlOf(devnet).replace(
      `factory: "${devnet.addresses.uniswapFactory}"`,
      `factory: "${SAFE}"`,
    );
    await writeFile(join(directory, 'factory.yaml'), yaml);
    await devnet.rpc('anvil_setCode', [SAFE, '0x00']);
    expect(
      await problemsOf(ownedByDeployer('--config', 'factory.yaml', '--weth', cbETH.address), {
        CHIMERA_ADDRESS: devnet.addresses.chimera,
      }),
    ).toEqual([
      expect.stringMatching(/^liquidity\.uniswapV3\.factory: the contract .* was made for the factory/),
      expect.stringMatching(/^--weth: the contract .* was made for the wrapped native coin 0x4200/),
    ]);
  });

  it('a contract that is no Chimera, and an address without a contract', async () => {
    const CHIMERA_ADDRESS = devnet.addresses.chimera;
    expect(await problemsOf(['--owner', SAFE, '--treasury', SAFE, '--send'], { CHIMERA_ADDRESS })).toEqual([
      expect.stringMatching(/^--owner: the contract .* belongs to 0x\w+, 0x5afe\w+ was expected/),
    ]);
    expect(await problemsOf(ownedByDeployer('--send'), { CHIMERA_ADDRESS: SAFE })).toEqual([
      expect.stringMatching(/^execution\.chimera: there is no contract at 0x5afe\w+, and with this owner/),
    ]);
  });

  it('counterparties, the wrapped native coin or the deployment proxy without code', async () => {
    const yaml = yamlOf(devnet).replace(devnet.addresses.addressesProvider, SAFE);
    await writeFile(join(directory, 'nothing.yaml'), yaml);
    const nothing = `there is no contract at ${SAFE.toLowerCase()} on chain 31337`;
    expect(await problemsOf(ownedByDeployer('--config', 'nothing.yaml', '--weth', SAFE))).toEqual([
      expect.stringContaining(`protocols (aave).addressesProvider: ${nothing}`),
      expect.stringContaining(`--weth: ${nothing}`),
    ]);
    await devnet.rpc('anvil_setCode', [CREATE2_PROXY, '0x']);
    expect(await problemsOf(ownedByDeployer('--send'))).toEqual([
      expect.stringMatching(/^the deterministic deployment proxy: there is no contract at 0x4e59b4/),
    ]);
  });

  it('an empty wallet, and one whose transactions are still waiting', async () => {
    const poor = Wallet.createRandom();
    const words = ['--owner', SAFE, '--treasury', SAFE, '--send'];
    expect(await problemsOf(words, { DEPLOYER_PRIVATE_KEY: poor.privateKey })).toEqual([
      expect.stringMatching(/^the deployer wallet 0x\w+ holds 0 ETH; at least 0\.0\d+ ETH was expected/),
    ]);
    await devnet.rpc('evm_setAutomine', [false]);
    try {
      await devnet.signer(devnet.accounts.deployer).sendUncheckedTransaction({ to: SAFE, value: 1n });
      expect(await problemsOf(words)).toEqual([
        expect.stringMatching(/^the deployer wallet .* has transactions that are not mined yet \(1\)/),
      ]);
    } finally {
      await devnet.rpc('evm_setAutomine', [true]);
      await devnet.mine();
    }
  });

  it('a published key on a chain that is not the local one', async () => {
    const base = await startDevnet({ chainId: 8453 });
    try {
      await writeFile(join(directory, 'base.yaml'), yamlOf(base));
      const words = ['--config', 'base.yaml', '--owner', SAFE, '--treasury', SAFE, '--send'];
      const variables = { RPC_PRIMARY_HTTP: base.rpcUrl, OPERATOR_PRIVATE_KEY: '' };
      expect(await problemsOf(words, variables)).toEqual([
        expect.stringMatching(/^DEPLOYER_PRIVATE_KEY: this is a published test key .* on chain 8453/),
      ]);
      const small = `0x${'1'.padStart(64, '0')}`;
      expect(await problemsOf(words, { ...variables, DEPLOYER_PRIVATE_KEY: small })).toEqual([
        expect.stringMatching(/^DEPLOYER_PRIVATE_KEY is a published test key/),
      ]);
      const own = Wallet.createRandom();
      await base.rpc('anvil_setBalance', [own.address, ETHER]);
      const { code } = await deployContract(words, { ...variables, DEPLOYER_PRIVATE_KEY: own.privateKey });
      expect(code).toBe(0);
    } finally {
      await base.stop();
    }
  });
});

describe('the URL of an endpoint never appears', () => {
  const KEY = 'fake-access-key-1234567890';

  it('when nothing listens at its address', async () => {
    const { code, out, err } = await deployContract(ownedByDeployer('--send'), {
      RPC_PRIMARY_HTTP: `http://127.0.0.1:1/v2/${KEY}`,
    });
    expect(code).toBe(1);
    expect(err).toMatch(/rpc\.primary cannot be used: connection refused/);
    expect(out + err).not.toContain(KEY);
    expect(out + err).not.toContain('127.0.0.1');
  });

  it('when the endpoint refuses a transaction and quotes its own address', async () => {
    const endpoint = await talkativeEndpoint(devnet.rpcUrl, KEY);
    try {
      const { code, out, err } = await deployContract(ownedByDeployer('--send'), {
        RPC_PRIMARY_HTTP: endpoint.url,
      });
      expect(code).toBe(1);
      expect(err).toMatch(/ {2}- deploy: the transaction was refused \(no transactions at \*\*\*/);
      expect(out + err).not.toContain(KEY);
      expect(out + err).not.toContain(DEPLOYER_KEY.slice(2));
    } finally {
      endpoint.close();
    }
  });
});

describe('the command', () => {
  it('npm run deploy:contract prints its help, and ends with 1 when there are problems', async () => {
    const help = await npmRun('--help');
    expect(help).toMatchObject({ code: 0 });
    expect(help.out).toMatch(/^npm run deploy:contract -- \[options\]/);
    const refused = await npmRun('--json', '--ownr', SAFE);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out)).toEqual({
      status: 'problems',
      problems: [
        '--ownr: is not a known option; did you mean --owner?',
        expect.stringMatching(/^--owner: is missing/),
        expect.stringMatching(/^--treasury: is missing/),
      ],
    });
  });
});

interface Left {
  readonly status: string;
  readonly transactions: readonly { to: string; data: string; call: string }[];
  readonly safeBatch: SafeBatch;
}

const deployContract = (
  words: readonly string[],
  variables?: Readonly<Record<string, string>>,
): Promise<Result> => deployOn(devnet, directory, words, variables);

async function problemsOf(
  words: readonly string[],
  variables?: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { code, out, err } = await deployContract(words, variables);
  expect(code, out).toBe(1);
  expect(out).toBe('');
  return err.split('\n').flatMap((line) => (line.startsWith('  - ') ? [line.slice(4)] : []));
}

const ownedByDeployer = (...words: string[]): string[] => [
  ...['--owner', devnet.accounts.deployer, '--treasury', devnet.accounts.treasury],
  ...words,
];

const nonceOf = async (account: string): Promise<number> =>
  Number(await devnet.rpc('eth_getTransactionCount', [account, 'latest']));
