/** The deploy command on a local chain, and an endpoint whose errors quote its own URL. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROJECT_ROOT } from '../devnet/artifacts/compile.js';
import { operatorPrivateKey, type Devnet } from '../devnet/index.js';
import { run } from '../contracts/deploy/run.js';

/** Of devnet.accounts.deployer: the first of anvil's test accounts, known to everyone. */
export const DEPLOYER_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The output of --json. */
  readonly json: unknown;
}

/**
 * Runs the command in this process, with devnet.yaml of the directory unless the arguments name another file.
 */
export async function deployOn(
  devnet: Devnet,
  directory: string,
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const out: string[] = [];
  const err: string[] = [];
  const file = words.includes('--config') ? [] : ['--config', 'devnet.yaml'];
  const code = await run([...words, ...file], {
    directory,
    variables: {
      RPC_PRIMARY_HTTP: devnet.rpcUrl,
      DEPLOYER_PRIVATE_KEY: DEPLOYER_KEY,
      OPERATOR_PRIVATE_KEY: operatorPrivateKey,
      ...variables,
    },
    print: (line) => out.push(line),
    remark: (line) => err.push(line),
  });
  const text = out.join('\n');
  const json: unknown = words.includes('--json') ? JSON.parse(text) : undefined;
  return { code, out: text, err: err.join('\n'), json };
}

/** The file as it is before the first deployment. */
export function yamlOf({ chainId, addresses }: Devnet): string {
  return `
network: { name: devnet, chainId: ${chainId} }
rpc: { primary: { http: "\${RPC_PRIMARY_HTTP}" } }
database: { host: localhost, name: chimera }
protocols:
  - { name: aave, kind: aave-v3, addressesProvider: "${addresses.addressesProvider}", fromBlock: 0 }
oracles: { nativeUsdFeed: "${addresses.nativeUsdFeed}" }
liquidity:
  uniswapV3: { factory: "${addresses.uniswapFactory}" }
  flash: { aavePool: "${addresses.pool}" }
execution: { mode: live, chimera: "\${CHIMERA_ADDRESS}" }
`;
}

/** The address that the report ends with. */
export const addressIn = (out: string): string => /\n(0x[0-9a-fA-F]{40})\nchimera: /.exec(out)?.[1] ?? '';

/**
 * Forwards every call to the node except transactions. It refuses these and quotes its own URL with the key
 * in it.
 */
export async function talkativeEndpoint(
  nodeUrl: string,
  key: string,
): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
      if (body.includes('eth_sendRawTransaction')) {
        const message = `no transactions at http://127.0.0.1${request.url ?? ''}, see ${key}`;
        response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }));
        return;
      }
      const headers = { 'content-type': 'application/json' };
      response.end(await (await fetch(nodeUrl, { method: 'POST', headers, body })).text());
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/v2/${key}`, close };
}

/** The command as a user runs it. */
export function npmRun(...words: string[]): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      'npm',
      ['run', '--silent', 'deploy:contract', '--', ...words],
      { cwd: PROJECT_ROOT, timeout: 30_000 },
      (_, out) => resolve({ code: child.exitCode ?? -1, out }),
    );
  });
}
