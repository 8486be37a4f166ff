import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoBorrowers } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { faultBegins } from '../../testing/fault-times.js';

const PRELOADED = fileURLToPath(new URL('../../testing/reject-on-signal.mjs', import.meta.url));

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(2) });
});

afterAll(() => stack.stop());

describe('F40 an error that no part of the bot handles', () => {
  it('halts, ends with 1 in order, and the next process finds it HALTED; no secret is in its words', async () => {
    const events: BotEvent[] = [];
    const secret = stack.devnet.rpcUrl;
    const bot = await stack.startBot((event) => events.push(event), {
      variables: { NODE_OPTIONS: `--import ${PRELOADED}`, PLANTED_ERROR: `a planted bug at ${secret}` },
    });
    const fault = faultBegins();
    process.kill(bot.pid, 'SIGWINCH');
    expect(await bot.exited).toEqual({ code: 1, signal: null });
    fault.detected();
    fault.over();
    expect(events.filter(({ event }) => event === 'unhandled-error')).toMatchObject([
      { message: 'a planted bug at ***', stack: expect.stringContaining('TypeError') as string },
    ]);
    expect(events.map(({ event }) => event)).toContain('bot-stopping');
    expect(bot.tail).toContain('Chimera ends after an error that was not handled: TypeError');
    expect(bot.tail).not.toContain(secret);

    await stack.startBot();
    const { safety } = (await stack.api('/api/v1/status')).body as StatusAnswer;
    expect(safety).toMatchObject({
      ...{ state: 'HALTED', cause: 'bug', actor: 'chimera' },
      reason: 'an error was not handled: a planted bug at ***',
    });
    await stack.api('/api/v1/safety/resume', { body: { reason: 'it was planted' } });
    expect(((await stack.api('/api/v1/status')).body as StatusAnswer).safety.state).toBe('NORMAL');
    fault.recovered();
    await stack.bot?.stop();
  });
});
