import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The chains for which a configuration is shipped, each with its file in config/. */
export const SHIPPED: ReadonlyMap<number, string> = new Map([
  [8453, 'base.yaml'],
  [1, 'ethereum.yaml'],
  [10, 'optimism.yaml'],
  [42161, 'arbitrum.yaml'],
]);

/** From src/config and from dist/src/config. */
const FOLDERS = ['../../config/', '../../../config/'].map((path) => new URL(path, import.meta.url));

/** Where the shipped configuration of a chain is; undefined when none is shipped. */
export function shippedPath(chainId: number): string | undefined {
  const name = SHIPPED.get(chainId);
  if (name === undefined) return undefined;
  return FOLDERS.map((folder) => fileURLToPath(new URL(name, folder))).find((path) => existsSync(path));
}
