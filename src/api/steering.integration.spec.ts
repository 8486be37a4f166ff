import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageIn } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { ADDRESS, anIntent, aUsage } from '../../testing/builders/steering.js';
import { SafetyRepository } from '../database/index.js';
import { USD8 } from '../domain/money.js';
import { SafetyController } from '../safety/index.js';

describe('what an operator sets while the bot runs', { timeout: 60_000 }, () => {
  let dataDir: string;
  let api: ApiApp;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-steering-'));
    api = await startApi({ dataDir });
  });

  afterAll(async () => {
    await api.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const post = (route: string, body: object, once?: string) => {
    const request = api.http.post(`/api/v1/${route}`).set('Authorization', `Bearer ${OPERATOR_KEY}`);
    return (once === undefined ? request : request.set('Idempotency-Key', once)).send(body);
  };
  const get = (route: string) =>
    api.http.get(`/api/v1/${route}`).set('Authorization', `Bearer ${VIEWER_KEY}`).expect(200);
  const restart = async (): Promise<void> => {
    await api.close();
    api = await startApi({ dataDir });
  };
  const safety = (): SafetyController => api.get(SafetyController);
  const reasonOf = (intent: Parameters<SafetyController['authorise']>[0]): string => {
    const decision = safety().authorise(intent, aUsage());
    return decision.kind === 'rejected' ? decision.reason : decision.kind;
  };
  const actionsOf = async (): Promise<string[]> =>
    (await api.get(SafetyRepository).actions(100)).map(
      ({ action, reason, actor }) => `${actor} ${action} ${reason}`,
    );

  it('narrows the limits at the next signature, over a restart, and sets them back', async () => {
    expect(reasonOf(anIntent({ notionalUsd8: 300n * USD8 }))).toBe('authorised');
    const body = { maxSingleExecutionUsd: '250', minProfitUsd: '10', reason: 'a quiet week' };
    const answer: unknown = (await post('limits', body).expect(200)).body;
    expect(answer).toMatchObject({
      limits: [
        { name: 'maxSingleExecutionUsd', valueUsd: '250', configuredUsd: '500', setBy: { actor: 'ops' } },
        { name: 'maxDailyVolumeUsd', valueUsd: '2500.5', configuredUsd: '2500.5', setBy: null },
        { name: 'minProfitUsd', valueUsd: '10', setBy: { limit: 'minProfitUsd' } },
      ],
    });
    await restart();
    expect((await get('limits')).body).toEqual(answer);
    expect((await get('status')).body).toMatchObject({
      limits: { maxSingleExecutionUsd: '250' },
      steering: { limits: [{ limit: 'maxSingleExecutionUsd' }, { limit: 'minProfitUsd' }] },
    });
    expect(safety().headroomUsd8()).toBe(250n * USD8);
    expect(reasonOf(anIntent({ notionalUsd8: 300n * USD8 }))).toBe('notional-above-limit');
    expect(reasonOf(anIntent({ netProfitUsd8: 9n * USD8 }))).toBe('profit-below-floor');
    expect(reasonOf(anIntent({ netProfitUsd8: 10n * USD8 }))).toBe('authorised');
    await post('limits', { maxSingleExecutionUsd: null, minProfitUsd: null, reason: 'done' }).expect(200);
    expect(safety().headroomUsd8()).toBe(500n * USD8);
    expect(await actionsOf()).toContain('ops limits maxSingleExecutionUsd 250: a quiet week');
  });

  it('widens no limit beyond the configuration, and sets nothing of a body that is wrong', async () => {
    for (const [wrong, sentence] of [
      [{ maxDailyVolumeUsd: '2500.51' }, 'maxDailyVolumeUsd must be at most 2500.5, the configured value'],
      [{ minProfitUsd: '0' }, /^minProfitUsd must be at least /],
      [{ maxSingleExecutionUsd: 250 }, /must be dollars as text/],
      [{ maxSingleExecutionUsd: '-1' }, /must be dollars as text/],
      [{ maxSingleExecutionUsd: '1e3' }, /must be dollars as text/],
      [{}, /^one of maxSingleExecutionUsd, .* must be given/],
      [{ tier: 4 }, /is not a known field/],
      [{ maxSingleExecutionUsd: '1', maxDailyVolumeUsd: '9999' }, /at most 2500\.5/],
    ] as const)
      expect(messageIn(await post('limits', { ...wrong, reason: 'r' }).expect(400))).toMatch(sentence);
    expect(messageIn(await post('limits', { maxSingleExecutionUsd: '1' }).expect(400))).toMatch(/^reason /);
    expect((await get('status')).body).toMatchObject({ steering: { limits: [] } });
  });

  it('pauses a market and denies a borrower, each over a restart, with their rows of the audit trail', async () => {
    const protocol = 'aave';
    await post(`protocols/${protocol}/pause`, { reason: 'its oracle' }).expect(200);
    const mixed = `0x${ADDRESS.slice(2).toUpperCase()}`;
    await post(`borrowers/${mixed}/deny`, { reason: 'its token' }).expect(200);
    await restart();
    expect((await get('status')).body).toMatchObject({
      steering: {
        paused: [{ protocol, actor: 'ops', reason: 'its oracle' }],
        denied: [{ borrower: ADDRESS, actor: 'ops', reason: 'its token' }],
      },
    });
    expect(reasonOf(anIntent({ protocol }))).toBe('protocol-paused');
    expect(reasonOf(anIntent({ borrower: ADDRESS }))).toBe('borrower-denied');
    expect(reasonOf(anIntent({}))).toBe('authorised');
    await post(`protocols/${protocol}/resume`, { reason: 'well' }).expect(200);
    const allowed = await post(`borrowers/${ADDRESS}/allow`, { reason: 'seen' }).expect(200);
    expect(allowed.body).toEqual({ limits: [], paused: [], denied: [] });
    expect(reasonOf(anIntent({ protocol }))).toBe('authorised');
    expect((await actionsOf()).slice(0, 4)).toEqual([
      `ops allow ${ADDRESS}: seen`,
      `ops resume-protocol ${protocol}: well`,
      `ops deny ${ADDRESS}: its token`,
      `ops pause ${protocol}: its oracle`,
    ]);
    await post('protocols/nothing/pause', { reason: 'r' }).expect(404);
    await post('borrowers/0x12/deny', { reason: 'r' }).expect(404);
    expect((await actionsOf()).length).toBeGreaterThan(3);
  });

  it('does a request with a key once: again, two at once, and after a restart', async () => {
    const body = { maxDailyVolumeUsd: '1000', reason: 'once' };
    const before = (await actionsOf()).length;
    const [one, two] = await Promise.all([
      post('limits', body, 'k1').expect(200),
      post('limits', body, 'k1').expect(200),
    ]);
    expect(two.body).toEqual(one.body);
    await restart();
    const again = await post('limits', body, 'k1').expect(200).expect('Idempotent-Replayed', 'true');
    expect(again.body).toEqual(one.body);
    expect((await actionsOf()).length).toBe(before + 1);
    const other = await post('limits', { ...body, reason: 'other' }, 'k1').expect(422);
    expect(messageIn(other)).toBe('this Idempotency-Key was used for another request: choose a new one');
    await post('safety/resume', body, 'k1').expect(422);
    await post('limits', body, 'a b').expect(400);
    expect((await actionsOf()).length).toBe(before + 1);
  });

  it('A13 a replayed resume resumes nothing that was halted after it', async () => {
    await post('safety/halt', { reason: 'first' }, 'h1').expect(200);
    await post('safety/resume', { reason: 'well' }, 'r1').expect(200);
    await post('safety/halt', { reason: 'second' }).expect(200);
    const replayed = await post('safety/resume', { reason: 'well' }, 'r1').expect(200);
    expect(replayed.headers['idempotent-replayed']).toBe('true');
    expect(safety().isHalted).toBe(true);
    await post('safety/resume', { reason: 'well again' }).expect(200);
  });

  it('a halt is done each time, whatever its key was used for', async () => {
    const halt = { reason: 'again' };
    await post('safety/halt', halt, 'h2').expect(200);
    await post('safety/resume', { reason: 'well' }, 'r2').expect(200);
    await post('safety/halt', halt, 'h2').expect(200);
    expect(safety().isHalted).toBe(true);
    await post('safety/resume', { reason: 'well' }).expect(200);
    await post('safety/halt', halt, 'r2').expect(200);
    expect(safety().isHalted).toBe(true);
    await post('safety/resume', { reason: 'well' }).expect(200);
  });

  it('a key whose request was refused may be used again', async () => {
    await post('limits', { maxDailyVolumeUsd: '9999', reason: 'r' }, 'k2').expect(400);
    await post('limits', { maxDailyVolumeUsd: null, reason: 'r' }, 'k2').expect(200);
  });

  it('without the database nothing can be set, what was set holds, and a halt with a key is done', async () => {
    await post('protocols/aave/pause', { reason: 'before' }).expect(200);
    await api.get(DataSource).destroy();
    expect((await post('limits', { minProfitUsd: '20', reason: 'r' })).status).toBeGreaterThanOrEqual(500);
    expect((await post('limits', { minProfitUsd: '20', reason: 'r' }, 'k3')).status).toBeGreaterThanOrEqual(
      500,
    );
    expect(reasonOf(anIntent({ protocol: 'aave' }))).toBe('protocol-paused');
    await post('safety/halt', { reason: 'the database is away' }, 'k4').expect(200);
    expect(safety().isHalted).toBe(true);
    await api.get(DataSource).initialize();
  });
});
