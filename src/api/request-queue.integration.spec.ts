import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstOf, messageIn, type FirstOfAnswer } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';

const headers = { Authorization: `Bearer ${VIEWER_KEY}` };

describe('requests and the passes of the bot', { timeout: 60_000 }, () => {
  let api: ApiApp;

  beforeEach(async () => {
    api = await startApi();
  });
  afterEach(() => api.close());

  const status = (): Promise<FirstOfAnswer> => firstOf(api, 'GET', '/api/v1/status', headers);

  it('a request waits until the pass has ended', async () => {
    api.world.inPass = true;
    let hasEnded = false;
    const answer = status().then((one) => ({ ...one, afterTheEnd: hasEnded }));
    await sleep(100);
    hasEnded = true;
    api.world.inPass = false;
    expect(await answer).toMatchObject({ status: 200, afterTheEnd: true });
  });

  it('a pass that hangs does not hide the bot: requests go on, slowly', async () => {
    api.world.inPass = true;
    const answers = await Promise.all(Array.from({ length: 10 }, status));
    expect(answers.map((one) => one.status)).toEqual(Array<number>(10).fill(200));
  });

  it('a halt does not wait for the pass', async () => {
    api.world.inPass = true;
    let hasWaited = false;
    const read = status().then(() => (hasWaited = true));
    await api.http
      .post('/api/v1/safety/halt')
      .set('Authorization', `Bearer ${OPERATOR_KEY}`)
      .send({ reason: 'now' })
      .expect(200);
    expect(hasWaited).toBe(false);
    await read;
  });

  it('A06 more than there is time for are refused, not kept, and the process answers again afterwards', async () => {
    api.world.inPass = true;
    const answers = await Promise.all(
      Array.from({ length: 1_200 }, () => firstOf(api, 'GET', '/health/live')),
    );
    const refused = answers.filter((one) => one.status === 503);
    expect(answers.filter((one) => one.status === 200).length + refused.length).toBe(1_200);
    expect(refused.length).toBeGreaterThan(200);
    expect(messageIn(refused[0] ?? { text: '{}' })).toBe(
      'there are more requests than the bot has time for: try again shortly',
    );
    expect(refused[0]?.headers['retry-after']).toBe('1');
    api.world.inPass = false;
    expect((await status()).status).toBe(200);
  });
});
