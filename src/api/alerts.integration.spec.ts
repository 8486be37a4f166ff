import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageIn } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { eventually } from '../../testing/eventually.js';
import { AlertDesk } from '../alerts/alert-desk.js';
import type { AlertAnswer } from './alerts.controller.js';

const bearer = (key: string): [string, string] => ['Authorization', `Bearer ${key}`];

describe('the alerts of the API', () => {
  let api: ApiApp;
  const list = async (): Promise<readonly AlertAnswer[]> => {
    const { text } = await api.http
      .get('/api/v1/alerts')
      .set(...bearer(VIEWER_KEY))
      .expect(200);
    return (JSON.parse(text) as { alerts: AlertAnswer[] }).alerts;
  };
  const acknowledge = (id: string, body: object | undefined, key = OPERATOR_KEY) =>
    api.http
      .post(`/api/v1/alerts/${id}/acknowledge`)
      .set(...bearer(key))
      .send(body);

  beforeEach(async () => {
    api = await startApi();
    const alert = {
      key: 'bug',
      rule: 'bug',
      severity: 'CRITICAL',
      title: 'A bug',
      text: 'It failed',
    } as const;
    api.get(AlertDesk).raise(alert);
  });
  afterEach(() => api.close());

  it('are listed with who has acknowledged them', async () => {
    expect(await list()).toMatchObject([
      {
        ...{ rule: 'bug', severity: 'CRITICAL', title: 'A bug', text: 'It failed', repeats: 0, told: true },
        ...{ acknowledgedBy: null, acknowledgedAt: null },
      },
    ]);
    const { text } = await api.http
      .get('/api/v1/status')
      .set(...bearer(VIEWER_KEY))
      .expect(200);
    expect(JSON.parse(text)).toMatchObject({ alerts: { active: 1, channels: [], notStoredBecause: null } });
  });

  it('are acknowledged by an operator, with a row in the audit trail', async () => {
    const [alert] = await list();
    const { text } = await acknowledge(alert!.id, { reason: 'I am on it' }).expect(200);
    expect(JSON.parse(text)).toMatchObject({ rule: 'bug', acknowledgedBy: 'ops' });
    await eventually(() => api.world.actions.length === 1, 'the row of the audit trail');
    expect(api.world.actions).toMatchObject([
      {
        actor: 'ops',
        role: 'operator',
        action: 'acknowledge',
        reason: 'bug: I am on it',
        remote: '127.0.0.1',
      },
    ]);
    // It came by an event, so it is over with that.
    expect(await list()).toEqual([]);
    expect(messageIn(await acknowledge(alert!.id, undefined).expect(404))).toBe(
      'no alert that lasts has this id',
    );
  });

  it('F28 are acknowledged while the database is away; the row follows', async () => {
    api.world.databaseError = new Error('away');
    const [alert] = await list();
    await acknowledge(alert!.id, undefined).expect(200);
    expect(await list()).toEqual([]);
    expect(api.world.actions).toEqual([]);
    api.world.databaseError = undefined;
    api.get(AlertDesk).tick();
    await eventually(() => api.world.actions.length === 1, 'the row of the audit trail');
    expect(api.world.actions).toMatchObject([{ reason: 'bug: seen' }]);
  });

  it('A01 A02 are not acknowledged without a key, or by a viewer', async () => {
    const [alert] = await list();
    await api.http.get('/api/v1/alerts').expect(401);
    await api.http.post(`/api/v1/alerts/${alert!.id}/acknowledge`).expect(401);
    await acknowledge(alert!.id, {}, VIEWER_KEY).expect(403);
    expect(await list()).toMatchObject([{ acknowledgedBy: null }]);
  });

  it('A05 refuse an unknown field, and a reason that is no line of text', async () => {
    const [alert] = await list();
    await acknowledge(alert!.id, { until: 'tomorrow' }).expect(400);
    await acknowledge(alert!.id, { reason: 'two\nlines' }).expect(400);
    await acknowledge(alert!.id, { reason: 'x'.repeat(501) }).expect(400);
    expect(await list()).toMatchObject([{ acknowledgedBy: null }]);
  });
});
