import { Reflector } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstOf } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { aNearPosition } from '../../testing/builders/near.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { Clock } from '../domain/clock.js';
import { Readiness } from './readiness.js';
import { SharedAnswers } from './shared-answers.js';
import { StatusReader } from './status-reader.js';

const as = (key: string) => ({ Authorization: `Bearer ${key}` });

describe('answers that many callers share', () => {
  let api: ApiApp;
  beforeEach(async () => {
    api = await startApi();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await api.close();
  });

  /** Then nothing becomes old. */
  const stopTheClock = (): void => {
    const clock = api.get(Clock);
    vi.spyOn(clock, 'monotonicMs').mockReturnValue(clock.monotonicMs());
  };

  it('what is asked many times at once is made once, for viewers and operators alike', async () => {
    stopTheClock();
    const made = vi.spyOn(api.get(StatusReader), 'answer');
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, place) =>
        firstOf(api, 'GET', '/api/v1/status', as(place % 2 === 0 ? VIEWER_KEY : OPERATOR_KEY)),
      ),
    );
    for (const { status, headers, text } of answers) {
      expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      expect(JSON.parse(text)).toMatchObject({ network: { chainId: 8453 } });
    }
    expect(made).toHaveBeenCalledTimes(1);
  });

  it('A06 a question that a stranger varies is one question, and pushes no other out', async () => {
    stopTheClock();
    const made = vi.spyOn(api.get(StatusReader), 'answer');
    const asked = vi.spyOn(api.get(Readiness), 'phase');
    await firstOf(api, 'GET', '/api/v1/status', as(VIEWER_KEY));
    for (let place = 0; place < 40; place++) await firstOf(api, 'GET', `/health/ready?${place}`);
    await firstOf(api, 'GET', '/api/v1/status?again', as(VIEWER_KEY));
    expect([asked.mock.calls.length, made.mock.calls.length]).toEqual([1, 1]);
  });

  it('HEAD has the headers of the answer, and no body', async () => {
    const { status, headers, text } = await firstOf(api, 'HEAD', '/api/v1/status', as(VIEWER_KEY));
    expect([status, headers['content-type'], text]).toEqual([200, 'application/json; charset=utf-8', '']);
  });

  it('a POST that is refused makes nothing anew', async () => {
    stopTheClock();
    const made = vi.spyOn(api.get(StatusReader), 'answer');
    await firstOf(api, 'GET', '/api/v1/status', as(VIEWER_KEY));
    await api.http.post('/api/v1/safety/halt').set(as(VIEWER_KEY)).send({ reason: 'no' }).expect(403);
    await firstOf(api, 'GET', '/api/v1/status', as(VIEWER_KEY));
    expect(made).toHaveBeenCalledTimes(1);
  });

  it('files keep their tags, by which a browser asks whether it has them; answers have none', async () => {
    const { headers } = await firstOf(api, 'GET', '/api/docs/swagger-ui.css');
    expect(headers['etag']).toMatch(/^W\/"[0-9a-f]+-[0-9a-f]+"$/);
    const answer = await firstOf(api, 'GET', '/api/v1/status', as(VIEWER_KEY));
    expect(answer.headers['etag']).toBeUndefined();
  });

  it('A01 what was made for one with a key is not given to one without', async () => {
    expect((await firstOf(api, 'GET', '/api/v1/status', as(VIEWER_KEY))).status).toBe(200);
    expect((await firstOf(api, 'GET', '/api/v1/status')).status).toBe(401);
  });

  it('another address is another answer', async () => {
    api.world.near = Array.from({ length: 2 }, (_, index) => aNearPosition(index));
    const lengthOf = async (query: string): Promise<number> =>
      (await firstOf(api, 'GET', `/api/v1/positions${query}`, as(VIEWER_KEY))).text.length;
    expect(await lengthOf('?limit=1')).toBeLessThan(await lengthOf('?limit=2'));
    expect((await firstOf(api, 'GET', '/api/v1/positions?limit=x', as(VIEWER_KEY))).status).toBe(400);
  });

  it('what an operator changes is in the next answer, however shortly after the last one', async () => {
    stopTheClock();
    const status = async (): Promise<unknown> =>
      JSON.parse((await firstOf(api, 'GET', '/api/v1/status', as(VIEWER_KEY))).text) as unknown;
    const post = (path: string, reason: string) =>
      api.http.post(path).set(as(OPERATOR_KEY)).send({ reason }).expect(200);
    expect(await status()).toMatchObject({ safety: { state: 'NORMAL' }, steering: { paused: [] } });
    await post('/api/v1/safety/halt', 'maintenance');
    expect(await status()).toMatchObject({ safety: { state: 'HALTED', reason: 'maintenance' } });
    await post('/api/v1/protocols/aave/pause', 'odd prices');
    expect(await status()).toMatchObject({ steering: { paused: [{ protocol: 'aave' }] } });
  });
});

describe('an answer that is kept', () => {
  const clock = new TestClock();
  let answers: SharedAnswers;
  let count: number;
  const next = (): Promise<string> => Promise.resolve(String((count += 1)));

  beforeEach(() => {
    [answers, count] = [new SharedAnswers(new Reflector(), clock), 0];
  });

  it('holds for a fifth of a second from the moment that it was asked for', async () => {
    expect([await answers.of('a', next), await answers.of('a', next)]).toEqual(['1', '1']);
    clock.advance(199);
    expect(await answers.of('a', next)).toBe('1');
    clock.advance(1);
    expect([await answers.of('a', next), await answers.of('b', next)]).toEqual(['2', '3']);
  });

  it('is no error: those who share it get it, and who asks next asks anew', async () => {
    const away = (): Promise<string> => Promise.reject(new Error('the database is away'));
    const shared = [answers.of('a', away), answers.of('a', next)];
    for (const one of shared) await expect(one).rejects.toThrow('away');
    expect(await answers.of('a', next)).toBe('1');
  });
});
