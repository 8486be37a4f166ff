/** `npm run deploy:contract`: puts the contract on a chain and gives it its roles. */
import 'reflect-metadata';
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2), {
  print: (line) => console.log(line),
  remark: (line) => console.error(line),
});
