/** A market of Aave 3.0.2 on a running local chain, with borrowers of its own. */
import { compileOldAave } from './artifacts/aave-old.js';
import { artifactOf } from './artifacts/artifacts.js';
import type { Artifact } from './artifacts/compile.js';
import { PositionOpener, type PositionRequest } from './borrowers/aave-positions.js';
import { Miner } from './chain/mining.js';
import { RpcClient } from './chain/rpc.js';
import { TransactionQueue } from './chain/transactions.js';
import { deployOldAave, type OldAaveAddresses, type OldAaveOptions } from './deploy/aave-old.js';
import { Deployer, interfaceOf } from './deploy/deployer.js';
import { Supplier } from './deploy/supplier.js';
import type { Devnet } from './devnet.js';
import { TOKEN_SYMBOLS } from './parameters.js';

/** USD8, of each token. */
const LIQUIDITY_USD8 = 60_000_000n * 10n ** 8n;

export interface OldAave {
  readonly addresses: OldAaveAddresses;
  readonly poolAbi: Artifact['abi'];
  readonly configuratorAbi: Artifact['abi'];
  /** As Devnet.openPositions, on this market. */
  open(positions: readonly PositionRequest[]): Promise<string[]>;
}

/** Deploys it and fills it. Nothing else may make blocks meanwhile. */
export async function startOldAave(devnet: Devnet, options: OldAaveOptions = {}): Promise<OldAave> {
  const artifacts = await compileOldAave();
  const rpc = new RpcClient(devnet.rpcUrl);
  const miner = new Miner(rpc);
  const poolAbi = artifactOf(artifacts, 'Pool').abi;
  const { deployer: owner, supplier: lender } = devnet.accounts;
  const erc20 = [...devnet.token('WETH').interface.fragments];

  const addresses = await miner.exclusiveWithoutAutomine(async () => {
    const queue = new TransactionQueue(rpc, interfaceOf(poolAbi));
    await queue.track([owner, lender]);
    const deployer = new Deployer(queue, owner);
    const deployed = deployOldAave(deployer, artifacts, devnet.tokens, options);
    await queue.mine(() => miner.mineOne());
    const supplier = new Supplier(deployer, devnet.tokens, erc20, lender);
    for (const symbol of TOKEN_SYMBOLS) {
      supplier.approve(symbol, deployed.pool);
      const supply = [devnet.tokens[symbol].address, supplier.worth(symbol, LIQUIDITY_USD8), lender, 0];
      supplier.call(deployed.pool, poolAbi, 'supply', supply);
    }
    await queue.mine(() => miner.mineOne());
    return deployed;
  });
  const pool = { address: addresses.pool, abi: poolAbi };
  const opener = new PositionOpener(rpc, miner, devnet.tokens, pool, lender);
  return {
    addresses,
    poolAbi,
    configuratorAbi: artifactOf(artifacts, 'PoolConfigurator').abi,
    open: (positions) => opener.open(positions),
  };
}
