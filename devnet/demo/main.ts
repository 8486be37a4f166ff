/** `npm run demo`: the first line comes at once, then what takes longer is loaded. */
import { messageOf } from '../../src/domain/errors.js';
import { HELP, parseDemoArguments } from './arguments.js';

try {
  const options = parseDemoArguments(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else {
    console.log('Chimera demo: a local chain, a database and the bot');
    const { demo } = await import('./demo.js');
    await demo(options);
  }
  process.exit(0);
} catch (error) {
  console.error(`demo: ${messageOf(error)}`);
  process.exit(1);
}
