import { prepareDevnet } from '../../devnet/index.js';

/** Compiles into the cache what several test files would otherwise compile at the same time. */
export default function setup(): Promise<void> {
  return prepareDevnet((step) => process.stderr.write(`  ${step}\n`));
}
