import { readVariable } from '../config/index.js';
import { StartupError } from '../domain/errors.js';
import { openPage } from '../watch/open-page.js';
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
  /** False with --no-open. */
  open?: boolean;
  json?: boolean;
}

export async function watchChain(options: WatchCommandOptions, terminal: Terminal): Promise<number> {
  await watch(watchOptions(options, terminal), terminal);
  return 0;
}

/** As a person at this terminal means them. */
export function watchOptions(options: WatchCommandOptions, terminal: Terminal): WatchOptions {
  const { rpc, ws, config, dir, snapshot, json = false } = options;
  return {
    ...{ rpc, ws, config, dir, json },
    apiPort: options.apiPort === undefined ? undefined : portOf(options.apiPort),
    // Only for someone who looks at a terminal.
    ...(options.open !== false && !json && terminal.draw && { open: openHere }),
    runTime: options.for === undefined ? undefined : runTimeOf(options.for),
    ...(snapshot !== undefined && {
      begin: async (loaded) => {
        const remarks = { ...terminal, print: terminal.remark };
        await importPositions({ file: snapshot, incomplete: true }, remarks, () => Promise.resolve(loaded));
      },
    }),
  };
}

function openHere(url: string, directory: string): void {
  openPage(url, directory, { platform: process.platform, variable: (name) => readVariable(name) });
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new StartupError([`--api-port ${text}: a port from 0 to 65535 was expected`]);
}
