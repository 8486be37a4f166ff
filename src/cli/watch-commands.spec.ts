import { describe, expect, it } from 'vitest';
import type { Terminal } from './terminal.js';
import { watchOptions, type WatchCommandOptions } from './watch-commands.js';

const PIPE: Terminal = { print: () => undefined, remark: () => undefined };
const SCREEN: Terminal = { ...PIPE, draw: () => undefined };

describe('npx chimera watch', () => {
  it.each<[string, boolean, WatchCommandOptions, Terminal]>([
    ['on a terminal', true, {}, SCREEN],
    ['with --no-open', false, { open: false }, SCREEN],
    ['with --json', false, { json: true }, SCREEN],
    ['in a pipe', false, {}, PIPE],
  ])('%s it opens its page: %s', (_, opens, options, terminal) => {
    expect(watchOptions(options, terminal).open !== undefined).toBe(opens);
  });
});
