/** `npm run devnet`: a local chain that stays. The first line comes at once. */
import { messageOf } from '../../src/domain/errors.js';
import { HELP, parseDevnetArguments } from './arguments.js';

try {
  const options = parseDevnetArguments(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else {
    console.log('A local chain for Chimera');
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
    });
    const { serve } = await import('./serve.js');
    await serve(options, (line) => console.log(line), stopped);
  }
  process.exit(0);
} catch (error) {
  console.error(`devnet: ${messageOf(error)}`);
  process.exit(1);
}
