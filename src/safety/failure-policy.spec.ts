import { describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { HaltError, RetryError, SkipError } from '../domain/errors.js';
import { FailurePolicy } from './failure-policy.js';
import type { SafetyController } from './safety-controller.js';

function policyWith(halts: string[]): { policy: FailurePolicy; events: RecordedEvents } {
  const events = new RecordedEvents();
  const safety = standIn<SafetyController>('safety', {
    raise: (cause, level, reason) => {
      halts.push(`${cause} ${level}: ${reason}`);
      return Promise.resolve();
    },
  });
  return { policy: new FailurePolicy(safety, events), events };
}

describe('the failure policy', () => {
  it.each([
    [new RetryError('the node is away'), 'retry', []],
    [new SkipError('not this one'), 'skip', []],
    [new HaltError('our books are wrong', 'books'), 'halt', ['books HALTED: our books are wrong']],
    [new TypeError('a bug'), 'halt', ['bug HALTED: a bug']],
    ['a thrown text', 'halt', ['bug HALTED: a thrown text']],
  ] as const)('%s means %s', async (error, consequence, expected) => {
    const halts: string[] = [];
    const { policy, events } = policyWith(halts);
    expect(await policy.failed(error, 7)).toBe(consequence);
    expect(halts).toEqual(expected);
    expect(events.named('pass-failed')).toMatchObject([{ block: 7, consequence }]);
  });

  it('halts before the error travels up to the loop', async () => {
    const halts: string[] = [];
    const { policy, events } = policyWith(halts);
    const error = await policy.halt('someone else uses the key', 'signer');
    expect(error).toBeInstanceOf(HaltError);
    expect(error.message).toBe('someone else uses the key');
    expect(halts).toEqual(['signer HALTED: someone else uses the key']);
    expect(events.all).toEqual([]);
  });
});
