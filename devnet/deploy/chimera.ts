/** Deploys the Chimera contract and sets its executor and the contracts it may call. */
import { Kind } from '../../src/contract/bindings.js';
import type { DevnetArtifacts } from '../artifacts/artifacts.js';
import type { Accounts, DevnetAddresses } from './deployment.js';
import type { Deployer } from './deployer.js';

/** Queues the deployment of Chimera with its executor and its counterparties. @returns its address-to-be */
export function deployChimera(
  deployer: Deployer,
  { chimera: artifact, predeploys }: DevnetArtifacts,
  accounts: Accounts,
  addresses: Omit<DevnetAddresses, 'chimera'>,
): string {
  const { pool, comptroller, morpho, balancerVault, slipstreamFactory, solidlyFactory } = addresses;
  const chimera = deployer.create(artifact, [
    deployer.address,
    accounts.treasury,
    addresses.uniswapFactory,
    predeploys.weth.address,
  ]);
  deployer.call(chimera, artifact.abi, 'setExecutor', [accounts.operator, true]);
  const list = (counterparty: string, kind: number): void =>
    deployer.call(chimera, artifact.abi, 'setCounterparty', [counterparty, kind]);
  list(pool, Kind.AaveV3);
  list(comptroller, Kind.CompoundV2);
  list(morpho, Kind.MorphoBlue);
  list(balancerVault, Kind.BalancerV2);
  list(slipstreamFactory, Kind.Slipstream);
  list(solidlyFactory, Kind.Solidly);
  list(addresses.pancakeFactory, Kind.PancakeV3);
  return chimera;
}
