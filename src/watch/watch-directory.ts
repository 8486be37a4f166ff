import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, StartupError } from '../domain/errors.js';

/** It says that the directory belongs to bots that watch one chain. */
const MARK = 'watch.json';

/**
 * Takes a directory for the rows of a bot that watches. They never mix with those of another bot, nor with
 * those of another chain.
 *
 * @throws StartupError when the directory holds anything else.
 */
export function takeDirectory(directory: string, chainId: number): void {
  const mark = join(directory, MARK);
  try {
    if (existsSync(mark)) {
      const { chainId: known } = JSON.parse(readFileSync(mark, 'utf8')) as { chainId?: unknown };
      if (known === chainId) return;
      throw new StartupError([
        `--dir ${directory}: it holds what was watched on chain ${String(known)}, and the node is of chain ${chainId}; another directory was expected`,
      ]);
    }
    if (existsSync(directory) && readdirSync(directory).length > 0)
      throw new StartupError([
        `--dir ${directory}: it holds files that watch did not make, perhaps the database of a bot; a new or an empty directory was expected`,
      ]);
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    writeFileSync(mark, `${JSON.stringify({ chainId })}\n`);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError([`--dir ${directory}: the directory cannot be used (${messageOf(error)})`]);
  }
}
