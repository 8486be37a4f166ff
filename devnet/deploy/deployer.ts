/** Queues contract creations and calls by contract artifact and function name. */
import { Interface, concat } from 'ethers';
import type { Artifact, Artifacts } from '../artifacts/compile.js';
import { artifactOf } from '../artifacts/artifacts.js';
import type { TransactionQueue } from '../chain/transactions.js';

const interfaces = new WeakMap<Artifact['abi'], Interface>();

/** The parsed ABI; parsing a large one takes milliseconds, so it is done once. */
export function interfaceOf(abi: Artifact['abi']): Interface {
  let parsed = interfaces.get(abi);
  if (!parsed) interfaces.set(abi, (parsed = new Interface(abi)));
  return parsed;
}

export class Deployer {
  constructor(
    private readonly queue: TransactionQueue,
    /** The account that deploys and then owns what has an owner. */
    readonly address: string,
  ) {}

  /** Queues the creation of a contract. @returns its address-to-be */
  create(artifact: Artifact, args: readonly unknown[] = [], libraries: Record<string, string> = {}): string {
    const constructorData = interfaceOf(artifact.abi).encodeDeploy([...args]);
    const initCode = concat([link(artifact, libraries), constructorData]);
    return this.queue.deploy(`deploying ${artifact.name}`, this.address, initCode);
  }

  /** Queues the creation of a contract and, before it, of each library it needs that does not exist yet. */
  createLinked(
    artifacts: Artifacts,
    name: string,
    args: readonly unknown[],
    libraries: Record<string, string>,
  ): string {
    const artifact = artifactOf(artifacts, name);
    for (const library of Object.keys(artifact.links)) {
      libraries[library] ??= this.createLinked(artifacts, library, [], libraries);
    }
    return this.create(artifact, args, libraries);
  }

  /** Queues a call. `from` is the deployer unless given; `valueWei` is sent along. */
  call(
    to: string,
    abi: Artifact['abi'],
    method: string,
    args: readonly unknown[],
    options: { from?: string; valueWei?: bigint } = {},
  ): void {
    const data = interfaceOf(abi).encodeFunctionData(method, [...args]);
    this.queue.add({ label: method, to, data, from: this.address, ...options });
  }
}

/** Writes library addresses (20 bytes each) over the placeholders in the creation code. */
function link(artifact: Artifact, libraries: Record<string, string>): string {
  let code = artifact.bytecode;
  for (const [library, offsets] of Object.entries(artifact.links)) {
    const address = libraries[library];
    if (!address) throw new Error(`${artifact.name} needs the library ${library}`);
    for (const offset of offsets) {
      const start = 2 + offset * 2;
      code = code.slice(0, start) + address.slice(2).toLowerCase() + code.slice(start + 40);
    }
  }
  return code;
}
