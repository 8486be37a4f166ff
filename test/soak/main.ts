/** `npm run soak`: leave the bot alone in a bad world, and look at what must hold. */
import { messageOf } from '../../src/domain/errors.js';
import { HELP, parseSoakArguments } from './arguments.js';
import { printReport } from './report.js';
import { soak } from './run.js';

// The processes of the soak end with this one, when it exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  const options = parseSoakArguments(process.argv.slice(2), Date.now() % 1_000_000);
  if (options.help) {
    console.log(HELP);
    process.exit(0);
  }
  const print = (line: string): void => console.log(line);
  print(`The soak: ${options.minutes} minutes, seed ${options.seed}.`);
  const report = await soak(options, print);
  printReport(report, print);
  if (options.json) console.log(JSON.stringify(report));
  process.exit(report.holds ? 0 : 1);
} catch (error) {
  console.error(`soak: ${messageOf(error)}`);
  process.exit(1);
}
