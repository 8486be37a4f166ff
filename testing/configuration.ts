import { StartupError } from '../src/domain/errors.js';
import type { Variables } from '../src/config/environment-values.js';
import { parseConfig } from '../src/config/parse-config.js';

export const KEY = '0x4646464646464646464646464646464646464646464646464646464646464646';
export const ANVIL_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
export const VARIABLES: Variables = {
  RPC_PRIMARY_HTTP: 'https://node.example.com/v2/access-key',
  DB_USER: 'the-user',
  DB_PASSWORD: 'the-password',
};

export const LEAST = `
network: { name: base, chainId: 8453 }
rpc: { primary: { http: \${RPC_PRIMARY_HTTP} } }
database: { host: localhost, name: chimera }
protocols:
  - { name: aave, kind: aave-v3, addressesProvider: 0xe20fCBdBfFC4Dd138cE8b2E6FBb6CB49777ad64D, fromBlock: 2357134 }
oracles: { nativeUsdFeed: 0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70 }
liquidity:
  uniswapV3:
    factory: 0x33128a8fC17869897dcE68Ed026d694621f6FDfD
execution: { chimera: 0x2626664c2603336E57B271c5C0b26F421741e481 }
`;

export function problemsOf(yaml: string, variables: Variables = VARIABLES): readonly string[] {
  try {
    parseConfig(yaml, variables);
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
  return [];
}

/** {@link LEAST} with one section changed or left out. */
export function withSection(name: string, section: string): string {
  const others = LEAST.trim()
    .split(/\n(?=\S)/)
    .filter((part) => !part.startsWith(`${name}:`));
  return [...others, section && `${name}: ${section}`].join('\n');
}
