import 'reflect-metadata';
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2), {
  print: (line) => console.log(line),
  remark: (line) => console.error(line),
});
