import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageIn } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, URL_SECRET, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { HaltError, RetryError } from '../domain/errors.js';

const HALT = '/api/v1/safety/halt';
const RESUME = '/api/v1/safety/resume';

describe('malformed requests', () => {
  let api: ApiApp;

  beforeEach(async () => {
    api = await startApi();
  });

  afterEach(() => api.close());

  const post = (route: string, body?: string | object) => {
    const request = api.http.post(route).set('Authorization', `Bearer ${OPERATOR_KEY}`);
    return body === undefined ? request : request.type('json').send(body);
  };
  const get = (route: string) => api.http.get(route).set('Authorization', `Bearer ${VIEWER_KEY}`);

  const NO_REASON = 'reason must be given: a text of 1 to 500 characters';
  const UNSEEN = 'reason must hold at least one visible character';
  const NOT_A_LINE = 'reason must be one line of text without control characters';

  it.each([
    ['no body', undefined, NO_REASON],
    ['an empty object', {}, NO_REASON],
    ['an empty reason', { reason: '' }, NO_REASON],
    ['blanks', { reason: ' \t\n ' }, NO_REASON],
    ['zero-width characters', { reason: '\u200b\u200c\u200d\u2060\ufeff' }, UNSEEN],
    ['blanks of other scripts', { reason: '\u3000\u2800\u3164 \u00ad' }, UNSEEN],
    ['a mark without a letter', { reason: '\u0301\ufe0f' }, UNSEEN],
    ['a character of nobody', { reason: '\ue000\u{e0041}' }, UNSEEN],
    ['no reason but null', { reason: null }, NO_REASON],
    ['a number', { reason: 42 }, NO_REASON],
    ['a list', { reason: ['maintenance'] }, NO_REASON],
    ['an object', { reason: { length: 5 } }, NO_REASON],
    ['501 characters', { reason: 'x'.repeat(501) }, NO_REASON],
    ['a list of bodies', [{ reason: 'maintenance' }], 'a JSON object was expected'],
  ])('A20 refuses to resume for %s', async (_, body, message) => {
    api.world.safety = { ...api.world.safety, state: 'HALTED' };
    const answer = await post(RESUME, body);
    expect(answer.body).toEqual({ statusCode: 400, error: 'Bad Request', message });
    expect(api.world.safety.state).toBe('HALTED');
  });

  it.each([
    ['a line feed', 'one\ntwo'],
    ['an escape sequence', 'red \u001b[31m'],
    ['a NUL, which Postgres cannot hold', 'a\u0000b'],
    ['a delete', 'a\u007fb'],
    ['a C1 control', 'a\u009bb'],
    ['a line separator', 'a\u2028b'],
    ['a turn of the text direction', 'a\u202eb'],
    ['half a surrogate pair', 'a\ud800b'],
  ])('A14 refuses a reason with %s', async (_, reason) => {
    const answer = await post(HALT, JSON.stringify({ reason })).expect(400);
    expect(messageIn(answer)).toBe(NOT_A_LINE);
    expect(api.world.safety.state).toBe('NORMAL');
  });

  it('takes a reason of 500 characters of any script, without the blanks around it', async () => {
    const reason = '停止 – остановка 🛑 '.repeat(40).slice(0, 495).trim();
    const answer = await post(HALT, { reason: `  ${reason}\n` }).expect(200);
    expect(answer.body).toMatchObject({ state: 'HALTED', reason });
  });

  it('A05 refuses fields it does not know, instead of ignoring them', async () => {
    const answer = await post(HALT, { reason: 'test', state: 'NORMAL', actor: 'someone' }).expect(400);
    expect(messageIn(answer)).toBe('"state" is not a known field; "actor" is not a known field');
    const long = await post(HALT, { reason: 'test', ['f'.repeat(10_000)]: 1 }).expect(400);
    expect(long.text.length).toBeLessThan(200);
    expect(api.world.safety.state).toBe('NORMAL');
  });

  it('A05 a body that reaches for the prototype changes nothing', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const answer = await post(HALT, `{"${key}":{"reason":"test","polluted":1},"reason":"test"}`).expect(
        400,
      );
      expect(messageIn(answer)).toBe(`"${key}" is not a known field`);
    }
    expect({}).not.toHaveProperty('polluted');
    expect(api.world.safety.state).toBe('NORMAL');
  });

  it.each([
    ['no JSON', '{"reason": '],
    ['a bare text', '"halt"'],
    ['a number', '7'],
    ['null', 'null'],
  ])('A05 refuses a body that is %s, without quoting it', async (_, body) => {
    const answer = await post(HALT, body).expect(400);
    expect(messageIn(answer)).toBe(
      'the request cannot be read: a well-formed address and a JSON object in UTF-8 were expected',
    );
  });

  it.each(['0', '201', '-1', '1.5', '1e2', '0x10', '', 'all', '50&limit=60', '9999999999999999999'])(
    'A05 refuses limit=%s',
    async (limit) => {
      const answer = await get(`/api/v1/executions?limit=${limit}`).expect(400);
      expect(messageIn(answer)).toBe('limit must be a whole number from 1 to 200');
    },
  );

  it.each(['0', '-1', 'abc', "1';DROP TABLE executions", '99999999999999999999', '1&before=2', ''])(
    'A05 refuses before=%s',
    async (before) => {
      const answer = await get(`/api/v1/executions?before=${encodeURI(before)}`).expect(400);
      expect(messageIn(answer)).toBe('before must be the id of an execution');
    },
  );

  it.each([
    ['status=failed', /^status must be one of planned, rejected, dry-run, /],
    ['status=planned&status=rejected', /^status must be one of /],
    ['outcome=win', 'outcome must be one of won, lost, stale, refused, malfunction'],
    ['protocol=', 'protocol must be the name of a market'],
    ['protocol=a%00b', 'protocol must be the name of a market'],
    ['protocol[$ne]=aave', /./],
    ['borrower=0x12', 'borrower must be an address'],
    ['since=yesterday', /^since must be a day or an instant in UTC/],
    ['until=2026-01-31T12:00:00%2B02:00', /^until must be a day or an instant in UTC/],
    ['until=2026-13-01', /^until must be a day or an instant in UTC/],
  ])('A05 refuses the filter %s', async (query, message) => {
    expect(messageIn(await get(`/api/v1/executions?${query}`).expect(400))).toMatch(message);
  });

  it('A05 refuses parameters it does not know, and ids that are none', async () => {
    await get('/api/v1/executions?state=failed').expect(400);
    for (const id of ['0', 'x', '99999999999999999999', '1%00', '%2e%2e'])
      expect((await get(`/api/v1/executions/${id}`)).status).toBe(404);
    expect((await get('/api/v1/executions/%ff')).status).toBe(400);
  });

  it('A06 refuses a body beyond 16 kB, also when its length is not told', async () => {
    const body = JSON.stringify({ reason: 'x'.repeat(17_000) });
    const answer = await post(HALT, body).expect(413);
    expect(answer.body).toEqual({
      statusCode: 413,
      error: 'Payload Too Large',
      message: 'the body is larger than 16 kB',
    });
    const chunked = api.http
      .post(HALT)
      .set('Authorization', `Bearer ${OPERATOR_KEY}`)
      .set('Transfer-Encoding', 'chunked')
      .type('json');
    chunked.write(body.slice(0, 9_000));
    chunked.write(body.slice(9_000));
    expect((await chunked).status).toBe(413);
    expect(api.world.safety.state).toBe('NORMAL');
  });

  it('A06 survives JSON nested as deeply as 16 kB allow', async () => {
    for (const deep of [
      '['.repeat(7_000) + ']'.repeat(7_000),
      '{"a":'.repeat(2_600) + '1' + '}'.repeat(2_600),
    ]) {
      await post(HALT, `{"reason":${deep}}`).expect(400);
      await post(HALT, `{"reason":"test","extra":${deep}}`).expect(400);
    }
    expect(api.world.safety.state).toBe('NORMAL');
    await api.http.get('/health/live').expect(200);
  });

  it('A06 gives slow clients little time', () => {
    expect(api.server).toMatchObject({ headersTimeout: 10_000, requestTimeout: 15_000 });
  });

  it('survives bytes that are not HTTP', async () => {
    const { port } = api.server.address() as AddressInfo;
    const text = await new Promise<string>((resolve) => {
      let seen = '';
      const socket = connect(port, '127.0.0.1', () => socket.write('\u0000\u0001 GARBAGE\r\n\r\n'));
      socket.on('data', (chunk) => (seen += String(chunk)));
      socket.on('close', () => resolve(seen));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400/);
    await api.http.get('/health/live').expect(200);
  });

  it('A09 a bug becomes an id in the answer, and its stack goes to the log under that id', async () => {
    api.world.bug = new TypeError(`cannot read https://node.example/${URL_SECRET}`);
    const answer = await get('/api/v1/executions').expect(500);
    expect(answer.body).toMatchObject({ statusCode: 500, error: 'Internal Server Error' });
    expect(messageIn(answer)).toMatch(/^internal error \(logged as [0-9a-f-]{36}\)$/);
    const id = /[0-9a-f-]{36}/.exec(answer.text)?.[0] ?? 'no id';
    const line = api.logged.find((logged) => logged.includes(id));
    expect(line).toContain('GET /api/v1/executions failed');
    expect(line).toMatch(/\n +at .*requests\.integration\.spec\.ts/);
  });

  it('A09 a database that cannot be reached is a 503, a refused statement a 500, and neither answer says more', async () => {
    api.world.databaseError = new RetryError(
      'the database does not serve: connect ECONNREFUSED 10.0.0.5:5432',
    );
    const away = await get('/api/v1/executions').expect(503);
    expect(messageIn(away)).toMatch(
      /^this cannot be done at the moment, try again shortly \(logged as .{36}\)$/,
    );
    api.world.databaseError = new HaltError('the database refused a statement: relation "x" does not exist');
    const refused = await get('/api/v1/executions').expect(500);
    expect(messageIn(refused)).toMatch(/^internal error/);
    expect(away.text + refused.text).not.toMatch(/10\.0\.0\.5|relation|\.ts|\n +at /);
  });

  it('A09 an unknown path is not quoted', async () => {
    const answer = await api.http.get('/api/v1/nothing?token=secret').expect(404);
    expect(answer.body).toEqual({
      statusCode: 404,
      error: 'Not Found',
      message: 'there is nothing at this address',
    });
  });
});
