/** Deploys the vault of Balancer v2, for its flash loans: it has tokens, but no pools. */
import type { DevnetArtifacts } from '../artifacts/artifacts.js';
import type { Deployer } from './deployer.js';
import { BALANCER_LIQUIDITY_USD8, TOKEN_SYMBOLS } from '../parameters.js';
import type { Supplier } from './supplier.js';

/** An address without code and without a known key: flash loans do not ask the authorizer. */
const NO_AUTHORIZER = '0xba1a000000000000000000000000000000000001';

/** Queues the deployment of the vault, which can not be paused and takes no fee for flash loans. */
export function deployBalancer(deployer: Deployer, artifacts: DevnetArtifacts): string {
  const { balancerVault, predeploys } = artifacts;
  return deployer.create(balancerVault, [NO_AUTHORIZER, predeploys.weth.address, 0n, 0n]);
}

/** Queues the transfers that fill the vault; it lends out what it finds in its balance. */
export function fillBalancer(supplier: Supplier, vault: string): void {
  for (const symbol of TOKEN_SYMBOLS) {
    supplier.transfer(symbol, vault, supplier.worth(symbol, BALANCER_LIQUIDITY_USD8));
  }
}
