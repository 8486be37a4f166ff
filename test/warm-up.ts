import { prepareDevnet } from '../devnet/index.js';

/** Compiles the protocol contracts once, before test files that run side by side would each do so. */
export default async function setup(): Promise<void> {
  await prepareDevnet((step) => process.stderr.write(`  ${step}\n`));
}
