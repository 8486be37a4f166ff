/** Deploys Pancake v3: the real factory and pools of its package, behind a stand-in for their deployer. */
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import type { Deployer } from './deployer.js';

export interface PancakeAddresses {
  /** It starts without pools; any account can create them. Tiers 100, 500, 2500 and 10000. */
  pancakeFactory: string;
}

/** Queues the deployment of the factory and the deployer of its pools. */
export function deployPancake(deployer: Deployer, { pancake, own }: DevnetArtifacts): PancakeAddresses {
  const poolDeployerArtifact = artifactOf(own, 'PancakePoolDeployer');
  const poolDeployer = deployer.create(poolDeployerArtifact, [pancake.PancakeV3Pool.bytecode]);
  const pancakeFactory = deployer.create(pancake.PancakeV3Factory, [poolDeployer]);
  deployer.call(poolDeployer, poolDeployerArtifact.abi, 'setFactoryAddress', [pancakeFactory]);
  return { pancakeFactory };
}
