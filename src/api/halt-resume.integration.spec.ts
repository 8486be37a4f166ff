import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLANNED } from '../../testing/builders/executions.js';
import { messageIn } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { ChimeraConfig } from '../config/index.js';
import { ExecutionsRepository, SafetyRepository, type NewExecution } from '../database/index.js';
import { toAddress, type Hash } from '../domain/hex.js';
import { SafetyController } from '../safety/index.js';

const hash = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`;

const EXECUTION: NewExecution = {
  ...PLANNED,
  healthFactorWad: 985_000_000_000_000_000n,
  bidUsd8: 100_000_000n,
  simulatedNetProfitUsd8: 1_134_567_884n,
  plan: { minProfit: 7n },
};

describe('the API on the real database and the real safety controller', { timeout: 60_000 }, () => {
  let dataDir: string;
  let api: ApiApp;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-api-'));
    api = await startApi({ dataDir });
  });

  afterAll(async () => {
    await api.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const post = (action: 'halt' | 'resume', reason: string) =>
    api.http.post(`/api/v1/safety/${action}`).set('Authorization', `Bearer ${OPERATOR_KEY}`).send({ reason });
  const get = (route: string) => api.http.get(route).set('Authorization', `Bearer ${VIEWER_KEY}`);

  it('an operator halts and resumes; both are recorded with name, reason and address', async () => {
    const halted = await post('halt', 'maintenance').expect(200);
    expect(halted.body).toMatchObject({ state: 'HALTED', reason: 'maintenance', actor: 'ops' });
    expect(api.get(SafetyController).isHalted).toBe(true);
    expect((await api.http.get('/health/ready')).status).toBe(503);

    const resumed = await post('resume', 'maintenance is over').expect(200);
    expect(resumed.body).toMatchObject({ state: 'NORMAL', actor: 'ops', consecutiveFailures: 0 });
    expect(resumed.body).toMatchObject({ inFlight: { sentAgain: 2, cancelled: 1 } });
    expect((await api.http.get('/health/ready')).status).toBe(200);

    const repository = api.get(SafetyRepository);
    expect(await repository.actions(10)).toMatchObject([
      {
        actor: 'ops',
        role: 'operator',
        action: 'resume',
        reason: 'maintenance is over',
        remote: '127.0.0.1',
      },
      { actor: 'ops', role: 'operator', action: 'halt', reason: 'maintenance', remote: '127.0.0.1' },
    ]);
    expect(await repository.transitions(2)).toMatchObject([
      { from: 'HALTED', to: 'NORMAL' },
      { from: 'NORMAL', to: 'HALTED' },
    ]);
  });

  it('to halt a HALTED bot is no error, and is audited too', async () => {
    const repository = api.get(SafetyRepository);
    const before = (await repository.actions(100)).length;
    await post('halt', 'first').expect(200);
    const second = await post('halt', 'second').expect(200);
    expect(second.body).toMatchObject({ state: 'HALTED', reason: 'first' });
    expect((await repository.actions(100)).length).toBe(before + 2);
  });

  it('A13 what halts the bot while a resume asks the chain is not lifted by it: a 409, and the bot stays HALTED', async () => {
    await post('halt', 'first').expect(200);
    const safety = api.get(SafetyController);
    api.world.whileAsked = async () => {
      api.world.whileAsked = () => Promise.resolve();
      await safety.resume('in between', { name: 'ops', role: 'operator', address: 'here' });
      await safety.halt('a second one', { name: 'ops', role: 'operator', address: 'here' });
    };
    const conflict = await post('resume', 'the first one is mended').expect(409);
    expect(messageIn(conflict)).toBe('the state changed meanwhile: it is HALTED, a second one');
    expect(safety.isHalted).toBe(true);
    await post('resume', 'both are mended').expect(200);
    await post('halt', 'for the next test').expect(200);
  });

  it('A20 a resume without a reason leaves the bot HALTED and is not recorded', async () => {
    const repository = api.get(SafetyRepository);
    const before = await repository.actions(100);
    await post('resume', '  ').expect(400);
    expect(api.get(SafetyController).isHalted).toBe(true);
    expect(await repository.actions(100)).toEqual(before);
  });

  it('A13 two resumes and a halt at once: a resume that the halt overtakes is a 409, and each has its row', async () => {
    const repository = api.get(SafetyRepository);
    const before = (await repository.actions(100)).length;
    const answers = await Promise.all([post('resume', 'a'), post('resume', 'b'), post('halt', 'c')]);
    for (const { status, text, body } of answers.slice(0, 2)) {
      const { state } = body as { state?: string };
      if (status === 200) expect(state).toBe('NORMAL');
      else expect([status, messageIn({ text })]).toEqual([409, expect.stringContaining('stays HALTED')]);
    }
    expect(answers[2].status).toBe(200);
    expect((await repository.actions(100)).length).toBe(before + 3);
    await post('resume', 'tidy').expect(200);
  });

  it('A13 a resume after another process changed the state is a 409; the operator looks, and the next one counts', async () => {
    await post('halt', 'maintenance').expect(200);
    const repository = api.get(SafetyRepository);
    const { status, version } = await repository.load();
    await repository.save({ ...status, reason: 'halted by another process' }, version);
    const conflict = await post('resume', 'as I saw it').expect(409);
    expect(conflict.body).toMatchObject({ statusCode: 409, error: 'Conflict' });
    expect(messageIn(conflict)).toMatch(/changed by someone else/);
    expect(api.get(SafetyController).status()).toMatchObject({
      state: 'HALTED',
      reason: 'halted by another process',
    });
    await post('resume', 'as it is').expect(200);
  });

  it('a resume of a running bot changes nothing, and is audited', async () => {
    const repository = api.get(SafetyRepository);
    const before = (await repository.actions(100)).length;
    const transitions = await repository.transitions(100);
    const resumed = await post('resume', 'just to be sure').expect(200);
    expect(resumed.body).toMatchObject({ state: 'NORMAL' });
    expect((await repository.actions(100)).length).toBe(before + 1);
    expect(await repository.transitions(100)).toEqual(transitions);
  });

  it('lists executions newest first, page by page, with exact amounts', async () => {
    const executions = api.get(ExecutionsRepository);
    const { chainId } = api.get(ChimeraConfig).network;
    const ids = await executions.insertMany(
      [1, 2, 3, 4, 5].map((n) => ({ ...EXECUTION, chainId, blockNumber: n })),
    );
    const [elsewhere] = await executions.insertMany([{ ...EXECUTION, chainId: chainId + 1 }]);
    await get(`/api/v1/executions/${elsewhere}`).expect(404);
    await executions.settle(ids[4]!, { status: 'rejected', reason: 'halted' });

    const first = await page('limit=2');
    expect(first.executions.map(({ id }) => id)).toEqual([ids[4], ids[3]]);
    const second = await page(`limit=2&before=${first.next}`);
    const third = await page(`limit=2&before=${second.next}`);
    expect([second, third].flatMap((one) => one.executions.map(({ id }) => id))).toEqual([
      ids[2],
      ids[1],
      ids[0],
    ]);
    expect(third.next).toBeNull();
    expect((await page('limit=5')).next).toBeNull();
    expect((await page('')).executions).toHaveLength(5);

    expect(first.executions[0]).toMatchObject({
      status: 'rejected',
      reason: 'halted',
      block: { number: 5, hash: hash(1) },
      marketId: PLANNED.marketId,
      healthFactor: '0.985',
      debtToCover: '100000001',
      expectedCollateral: '52500000000000001',
      notionalUsd: '100.00000001',
      simulatedProfitUsd: '12.3456789',
      gasCostUsd: '0.00000001',
      bidUsd: '1',
      outcome: { txHash: null, realisedProfitUsd: null, gasUsed: null },
    });
    expect(first.executions[0]).not.toHaveProperty('plan');
  });

  it('lists the executions of a status, a market, a borrower and a time, page by page', async () => {
    const executions = api.get(ExecutionsRepository);
    const { chainId } = api.get(ChimeraConfig).network;
    const borrower = `0x${'Fb'.repeat(20)}`;
    const other = { ...EXECUTION, chainId, protocol: 'filtered', borrower: toAddress(borrower) };
    const ids = await executions.insertMany([other, { ...other, status: 'dry-run' }, other]);
    const idsOf = async (query: string): Promise<string[]> =>
      (await page(query)).executions.map(({ id }) => id);

    expect(await idsOf('protocol=filtered')).toEqual([ids[2], ids[1], ids[0]]);
    expect(await idsOf(`borrower=${borrower}&status=planned`)).toEqual([ids[2], ids[0]]);
    expect(await idsOf('protocol=filtered&status=dry-run')).toEqual([ids[1]]);
    expect(await idsOf('protocol=filtered&outcome=won')).toEqual([]);
    const { next } = await page(`borrower=${borrower}&status=planned&limit=1`);
    expect(await idsOf(`borrower=${borrower}&status=planned&limit=1&before=${next}`)).toEqual([ids[0]]);

    const decided = (await executions.find(ids[0]!))?.createdAt ?? new Date(0);
    const later = new Date(decided.getTime() + 60_000).toISOString();
    const earlier = new Date(decided.getTime() - 60_000).toISOString();
    expect(await idsOf(`protocol=filtered&since=${earlier}&until=${later}`)).toHaveLength(3);
    expect(await idsOf(`protocol=filtered&since=${later}`)).toEqual([]);
    expect(await idsOf(`protocol=filtered&until=${earlier}`)).toEqual([]);
  });

  it('shows one execution with all its inputs, or says that there is none', async () => {
    const { executions } = await page('limit=1');
    const one = await get(`/api/v1/executions/${executions[0]?.id}`).expect(200);
    expect(one.body).toMatchObject({ id: executions[0]?.id, plan: { minProfit: '7' } });
    const none = await get('/api/v1/executions/999999').expect(404);
    expect(messageIn(none)).toBe('no execution has this id');
  });

  it('F28 halts without a database; resumes only with one, and stays HALTED till then', async () => {
    await api.get(DataSource).destroy();
    const halted = await post('halt', 'the database is gone').expect(200);
    expect(halted.body).toMatchObject({ state: 'HALTED', reason: 'the database is gone' });
    expect((await post('resume', 'too early')).status).toBeGreaterThanOrEqual(500);
    expect(api.get(SafetyController).isHalted).toBe(true);
    await api.get(DataSource).initialize();
    await post('resume', 'the database is back').expect(200);
  });

  interface Page {
    readonly executions: readonly { readonly id: string }[];
    readonly next: string | null;
  }

  async function page(query: string): Promise<Page> {
    const answer = await get(`/api/v1/executions?${query}`).expect(200);
    return answer.body as Page;
  }
});
