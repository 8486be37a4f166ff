import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_KEY, startApi, type ApiApp } from '../../testing/api-app.js';
import { SafetyRepository } from '../database/index.js';

const PAUSE = 'protocols/aave/pause';

describe('a request with a key of its own, as time passes', { timeout: 60_000 }, () => {
  let dataDir: string;
  let api: ApiApp;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-keyed-'));
    api = await startApi({ dataDir });
  });
  afterAll(async () => {
    await api.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const post = (key: string, reason = 'odd prices') =>
    api.http
      .post(`/api/v1/${PAUSE}`)
      .set('Authorization', `Bearer ${OPERATOR_KEY}`)
      .set('Idempotency-Key', key)
      .send({ reason });
  const sql = (text: string, values: readonly unknown[] = []): Promise<object[]> =>
    api.get(DataSource).query(text, [...values]);
  const done = async (): Promise<number> => (await api.get(SafetyRepository).actions(200)).length;
  const isReplayed = (answer: { readonly headers: object }): boolean =>
    'idempotent-replayed' in answer.headers;
  /** As a process leaves it that ended before its answer was stored. */
  const leaveInProgress = (key: string, age: string): Promise<object[]> =>
    sql('UPDATE answered_requests SET answer = NULL, at = now() - $2::interval WHERE key = $1', [key, age]);

  it('is answered from memory for 24 hours; after that its key is free, also for another request', async () => {
    await post('day').expect(200);
    const first = await done();
    await sql(`UPDATE answered_requests SET at = at - interval '23 hours 59 minutes' WHERE key = 'day'`);
    expect(isReplayed(await post('day').expect(200))).toBe(true);
    await post('day', 'another request').expect(422);
    expect(await done()).toBe(first);

    await sql(`UPDATE answered_requests SET at = at - interval '2 minutes' WHERE key = 'day'`);
    expect(isReplayed(await post('day').expect(200))).toBe(false);
    expect(await done()).toBe(first + 1);
    expect(isReplayed(await post('day').expect(200))).toBe(true);

    await sql(`UPDATE answered_requests SET at = at - interval '25 hours' WHERE key = 'day'`);
    expect(isReplayed(await post('day', 'another request').expect(200))).toBe(false);
    expect(await done()).toBe(first + 2);
  });

  it('rows that are older than a day go with the next new request', async () => {
    await post('old').expect(200);
    await sql(`UPDATE answered_requests SET at = at - interval '25 hours' WHERE key = 'old'`);
    await post('new').expect(200);
    expect(await sql(`SELECT key FROM answered_requests WHERE key IN ('old', 'new')`)).toEqual([
      { key: 'new' },
    ]);
  });

  it('is taken over after 60 seconds when its process has ended, by one of those that ask', async () => {
    await post('lost').expect(200);
    const before = await done();
    await leaveInProgress('lost', '61 seconds');
    const answers = await Promise.all([post('lost'), post('lost'), post('lost')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.filter((answer) => !isReplayed(answer))).toHaveLength(1);
    const [first, ...others] = answers.map(({ body }) => body as object);
    for (const other of others) expect(other).toEqual(first);
    expect(await done()).toBe(before + 1);
  });

  it('waits while another process works on it, and takes over as soon as that is 60 seconds ago', async () => {
    await post('slow').expect(200);
    const before = await done();
    await leaveInProgress('slow', '30 seconds');
    let ended = false;
    const waiting = post('slow').then((answer) => {
      ended = true;
      return answer;
    });
    // Another request with this key does not wait, and is not done.
    await post('slow', 'another request').expect(422);
    expect([ended, await done()]).toEqual([false, before]);
    await leaveInProgress('slow', '61 seconds');
    const answer = await waiting;
    expect([answer.status, isReplayed(answer)]).toEqual([200, false]);
    expect(await done()).toBe(before + 1);
  });

  it('gets the answer of the process that works on it, as soon as that is stored', async () => {
    const { body } = (await post('shared').expect(200)) as { body: object };
    const before = await done();
    await leaveInProgress('shared', '30 seconds');
    const waiting = post('shared').then((answer) => answer);
    await sql('UPDATE answered_requests SET answer = $2 WHERE key = $1', ['shared', JSON.stringify(body)]);
    const answer = await waiting;
    expect([answer.status, isReplayed(answer), answer.body]).toEqual([200, true, body]);
    expect(await done()).toBe(before);
  });

  it('is a 409 when it is worked on for longer than a caller waits', async () => {
    await post('stuck').expect(200);
    const before = await done();
    await leaveInProgress('stuck', '0 seconds');
    const answer = await post('stuck');
    expect([answer.status, answer.text]).toEqual([
      409,
      expect.stringContaining('the same request is being worked on: ask again in a moment'),
    ]);
    expect(await done()).toBe(before);
  });
});
