import { StartupError } from '../domain/errors.js';
import { runTimeOf } from '../watch/run-time.js';
import { watch, type WatchOptions } from '../watch/watch.js';
import { importPositions } from './positions-import.js';
import type { Terminal } from './terminal.js';

export interface WatchCommandOptions {
  rpc?: string;
  ws?: string;
  config?: string;
  dir?: string;
  snapshot?: string;
  for?: string;
  apiPort?: string;
  json?: boolean;
}

export async function watchChain(options: WatchCommandOptions, terminal: Terminal): Promise<number> {
  await watch(watchOptions(options, terminal), terminal);
  return 0;
}

function watchOptions(options: WatchCommandOptions, terminal: Terminal): WatchOptions {
  const { rpc, ws, config, dir, snapshot, json = false } = options;
  return {
    ...{ rpc, ws, config, dir, json },
    apiPort: options.apiPort === undefined ? undefined : portOf(options.apiPort),
    runTime: options.for === undefined ? undefined : runTimeOf(options.for),
    ...(snapshot !== undefined && {
      begin: async (loaded) => {
        const remarks = { ...terminal, print: terminal.remark };
        await importPositions({ file: snapshot, incomplete: true }, remarks, () => Promise.resolve(loaded));
      },
    }),
  };
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new StartupError([`--api-port ${text}: a port from 0 to 65535 was expected`]);
}
