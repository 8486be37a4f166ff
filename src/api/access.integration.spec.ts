import { HttpAdapterHost } from '@nestjs/core';
import { format } from 'prettier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstOf, messageIn } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { ApiDocument } from './api-document.js';
import { ALL_PER_MINUTE, GUESSES_PER_MINUTE, UNKNOWN_PER_MINUTE } from './rate-limit.guard.js';

const VIEWER_ROUTES = ['/api/v1/status', '/api/v1/executions', '/api/v1/executions/1'];
const OPERATOR_ROUTES = ['/api/v1/safety/halt', '/api/v1/safety/resume'];
const bearer = (key: string): [string, string] => ['Authorization', `Bearer ${key}`];
const NO_KEY = {
  statusCode: 401,
  error: 'Unauthorized',
  message: 'a valid API key is needed, sent as "Authorization: Bearer <key>"',
};

describe('access to the API', () => {
  let api: ApiApp;

  beforeEach(async () => {
    api = await startApi();
  });

  afterEach(() => api.close());

  const halt = (key: string) =>
    api.http
      .post('/api/v1/safety/halt')
      .set(...bearer(key))
      .send({ reason: 'test' });

  it('A01 answers 401 on every route without a key, and changes nothing', async () => {
    for (const route of VIEWER_ROUTES) {
      const answer = await api.http.get(route).expect(401).expect('WWW-Authenticate', 'Bearer');
      expect(answer.body).toEqual(NO_KEY);
    }
    for (const route of OPERATOR_ROUTES) {
      const answer = await api.http.post(route).send({ reason: 'test' }).expect(401);
      expect(answer.body).toEqual(NO_KEY);
      await api.http.post(route).expect(401);
    }
    expect(api.world.safety.state).toBe('NORMAL');
  });

  /** Of the API document, with the role that it names; a parameter has a value that nothing has. */
  const described = (): { readonly method: 'get' | 'post'; readonly path: string; readonly role: string }[] =>
    Object.entries(api.get(ApiDocument).get().paths).flatMap(([path, operations]) =>
      (['get', 'post'] as const).flatMap((method) => {
        const operation: object | undefined = operations[method];
        const role = operation && 'x-role' in operation ? String(operation['x-role']) : 'no role';
        return operation ? [{ method, path, role }] : [];
      }),
    );

  it('the API document has every route that the server has, and no other', () => {
    const express = api.get(HttpAdapterHost).httpAdapter.getInstance<{
      readonly router: {
        readonly stack: readonly {
          readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
        }[];
      };
    }>();
    const served = express.router.stack.flatMap(({ route }) =>
      route ? Object.keys(route.methods).map((method) => `${method} ${route.path}`) : [],
    );
    const told = described().map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
    expect(told.sort()).toEqual(served.sort());
  });

  it('A01 A02 every route of the API document asks for the role that it names there', async () => {
    for (const { method, path, role } of described()) {
      const route = path.replace(/\{\w+\}/g, 'nothing');
      const statusWith = async (...headers: [string, string][]): Promise<number> =>
        (await firstOf(api, method.toUpperCase(), route, Object.fromEntries(headers))).status;
      const statuses = {
        none: await statusWith(),
        wrong: await statusWith(bearer('a-wrong-key')),
        viewer: await statusWith(bearer(VIEWER_KEY)),
        operator: await statusWith(bearer(OPERATOR_KEY)),
      };
      const refused = {
        public: {},
        viewer: { none: 401, wrong: 401 },
        operator: { none: 401, wrong: 401, viewer: 403 },
      }[role];
      if (!refused) throw new Error(`${route} has no role that is known: ${role}`);
      for (const [key, status] of Object.entries(statuses)) {
        const where = `${method} ${route} with the key ${key}`;
        const expected: unknown = Object.entries(refused).find(([name]) => name === key)?.[1];
        if (expected === undefined) expect([200, 400, 404], where).toContain(status);
        else expect(status, where).toBe(expected);
      }
    }
    expect(api.world.safety.state).toBe('NORMAL');
  });

  it('A10 the page of the document says nothing of the bot, and loads nothing from elsewhere', async () => {
    const page = await api.http
      .get('/api/docs')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link);
    expect(links.filter((link) => link !== 'data:,')).toHaveLength(3);
    for (const link of links.filter((link) => link !== 'data:,')) {
      expect(link).toMatch(/^\/api\/docs\/[a-z.-]+$/);
      const file = await api.http.get(link).expect(200);
      expect(String(file.headers['content-security-policy'])).toContain("script-src 'self';");
    }
    expect(page.text).not.toMatch(/<script(?! src)|\son\w+=/);
    expect(String(page.headers['content-security-policy'])).toContain("script-src 'self';");
    for (const file of ['index.html', 'package.json', '..%2fpackage.json', '%2e%2e%2findex.js'])
      await api.http.get(`/api/docs/${file}`).expect(404);
  });

  it('docs/openapi.json is what the API says of itself (npx vitest run src/api/access -u writes it)', async () => {
    const { text: body } = await api.http
      .get('/api/docs-json')
      .set(...bearer(VIEWER_KEY))
      .expect(200);
    const text = await format(body, { parser: 'json', printWidth: 110 });
    await expect(text).toMatchFileSnapshot('../../docs/openapi.json');
  });

  it('A01 emits an event for each refused key, with the address and without the key', async () => {
    await api.http.get('/api/v1/status').set(...bearer('a-wrong-key'));
    await api.http.get('/api/v1/status');
    const refused = { event: 'api-key-refused', from: '127.0.0.1' };
    expect(api.events.all).toEqual([refused, refused]);
  });

  it('A01 takes a key from the header alone', async () => {
    await api.http.get(`/api/v1/status?key=${OPERATOR_KEY}&access_token=${OPERATOR_KEY}`).expect(401);
    await api.http.get('/api/v1/status').set('Cookie', `key=${OPERATOR_KEY}`).expect(401);
    await api.http.get('/api/v1/status').set('X-Api-Key', OPERATOR_KEY).expect(401);
    await api.http.post('/api/v1/safety/halt').send({ reason: 'test', key: OPERATOR_KEY }).expect(401);
  });

  it('A01 refuses other spellings of a route and other methods too', async () => {
    for (const route of [
      '/api/v1/status/',
      '/API/v1/Status',
      '/api/v1/executions/',
      '/api/v1/executions/%31',
    ])
      await api.http.get(route).expect(401);
    for (const route of [
      '//api/v1/status',
      '/api/v1/./status/..',
      '/api/v1/safety/halt',
      '/health/../api/v1/status',
    ])
      expect((await api.http.get(route)).status).toBeOneOf([401, 404]);
    await api.http.head('/api/v1/status').expect(401);
    await api.http.post('/api/v1/safety/resume').set('X-HTTP-Method-Override', 'GET').expect(401);
  });

  it('health needs no key, and answers in plain words', async () => {
    await api.http.get('/health/live').expect(200);
    await api.http.get('/health/ready').expect(200);
  });

  it('a viewer may read, and an operator may do everything that a viewer may', async () => {
    for (const key of [VIEWER_KEY, OPERATOR_KEY]) {
      await api.http
        .get('/api/v1/status')
        .set(...bearer(key))
        .expect(200);
      await api.http
        .get('/api/v1/executions')
        .set(...bearer(key))
        .expect(200);
    }
  });

  it('A02 a viewer who calls halt or resume gets 403 with the role that is needed, and changes nothing', async () => {
    for (const route of OPERATOR_ROUTES) {
      const answer = await api.http
        .post(route)
        .set(...bearer(VIEWER_KEY))
        .send({ reason: 'test' });
      expect(answer.body).toEqual({
        statusCode: 403,
        error: 'Forbidden',
        message: 'the role operator is needed, the key "reader" has the role viewer',
      });
    }
    expect(api.world.safety).toMatchObject({ state: 'NORMAL', reason: 'first start' });
    const refused = { event: 'api-role-refused', key: 'reader', role: 'viewer', needed: 'operator' };
    expect(api.events.all).toEqual(
      OPERATOR_ROUTES.map((route) => ({ ...refused, from: '127.0.0.1', request: `POST ${route}` })),
    );
    expect(JSON.stringify(api.events.all)).not.toContain(VIEWER_KEY);
  });

  it.each([
    'Bearer',
    'Bearer ',
    OPERATOR_KEY,
    `Basic ${Buffer.from(`ops:${OPERATOR_KEY}`).toString('base64')}`,
    `Bearer ${OPERATOR_KEY}, Bearer ${OPERATOR_KEY}`,
    `Bearer "${OPERATOR_KEY}"`,
    `Bearer ${OPERATOR_KEY.repeat(200)}`,
    'Bearer \u00ff\u00fe',
  ])('A04 answers 401 to the malformed header %#', async (header) => {
    const answer = await api.http.get('/api/v1/status').set('Authorization', header).expect(401);
    expect(answer.body).toEqual(NO_KEY);
  });

  it('A03 stops guessing after a while, on all routes together, and still serves health and the keys it knows', async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < UNKNOWN_PER_MINUTE + 10; guess++) {
      const route = VIEWER_ROUTES[guess % VIEWER_ROUTES.length]!;
      statuses.push((await api.http.get(route).set(...bearer(`guess-${guess}`))).status);
    }
    expect(statuses.slice(0, UNKNOWN_PER_MINUTE)).toEqual(Array(UNKNOWN_PER_MINUTE).fill(401));
    expect(statuses.slice(UNKNOWN_PER_MINUTE)).toEqual(Array(10).fill(429));

    const limited = await api.http.get('/api/v1/status');
    expect(limited.body).toMatchObject({ statusCode: 429, error: 'Too Many Requests' });
    expect(messageIn(limited)).toMatch(/^too many requests from this address, try again in \d+ seconds$/);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    await api.http.get('/health/ready').expect(200);
    await api.http
      .get('/api/v1/status')
      .set(...bearer(VIEWER_KEY))
      .expect(200);
  });

  it('A03 requests with a valid key are limited too', async () => {
    for (let request = 0; request < ALL_PER_MINUTE; request++)
      await api.http
        .get('/api/v1/status')
        .set(...bearer(VIEWER_KEY))
        .expect(200);
    await api.http
      .get('/api/v1/status')
      .set(...bearer(VIEWER_KEY))
      .expect(429);
    await api.http.get('/health/live').expect(200);
  });

  it('A21 a viewer and a neighbour behind the same address use up no limit of the operator', async () => {
    for (let request = 0; request < ALL_PER_MINUTE; request++)
      await api.http.get('/api/v1/status').set(...bearer(VIEWER_KEY));
    for (let guess = 0; guess <= UNKNOWN_PER_MINUTE; guess++) await api.http.get('/api/v1/status');
    const limited = await api.http
      .get('/api/v1/status')
      .set(...bearer(VIEWER_KEY))
      .expect(429);
    expect(messageIn(limited)).toMatch(/^too many requests with this key, try again in \d+ seconds$/);
    await api.http
      .get('/api/v1/status')
      .set(...bearer(OPERATOR_KEY))
      .expect(200);
  });

  it('A03 an address that searches for keys is not told that it found one; an operator may still halt', async () => {
    await api.http.get('/api/v1/status').set(...bearer(VIEWER_KEY));
    for (let guess = 0; guess <= GUESSES_PER_MINUTE; guess++) await api.http.get('/api/v1/status');
    await api.http
      .get('/api/v1/status')
      .set(...bearer(OPERATOR_KEY))
      .expect(429);
    await api.http
      .get('/api/v1/status')
      .set(...bearer(VIEWER_KEY)) // it was used before the search began
      .expect(200);
    await halt(OPERATOR_KEY).expect(200);
  });

  it('A21 an operator may always halt, also beyond the limit of the key', async () => {
    for (let request = 0; request < ALL_PER_MINUTE; request++)
      await api.http.get('/api/v1/status').set(...bearer(OPERATOR_KEY));
    await api.http
      .get('/api/v1/status')
      .set(...bearer(OPERATOR_KEY))
      .expect(429);
    await halt(OPERATOR_KEY).expect(200);
    expect(api.world.safety).toMatchObject({ state: 'HALTED' });
    await halt(VIEWER_KEY).expect(403);
    for (let request = 0; request < ALL_PER_MINUTE; request++) await halt(VIEWER_KEY);
    await halt(VIEWER_KEY).expect(429);
    await halt(OPERATOR_KEY).expect(200);
  });

  it.each([
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.7',
    '[::2]',
  ])(
    'A22 a request to the name %s is refused, with and without a key; the API is still there',
    async (name) => {
      for (const route of ['/health/live', '/api/v1/status', '/nothing']) {
        const answer = await api.http
          .get(route)
          .set('Host', name)
          .set(...bearer(OPERATOR_KEY))
          .expect(421);
        expect(messageIn(answer)).toBe('this API has another name; it is named in api.allowedHosts');
      }
      await api.http.get('/health/live').expect(200);
    },
  );

  it.each(['localhost', 'LOCALHOST:3000', 'localhost.', '127.0.0.1:1', '[::1]:3000'])(
    'A22 the name %s is this machine',
    async (name) => {
      await api.http.get('/health/live').set('Host', name).expect(200);
    },
  );

  it('A11 does not trust X-Forwarded-For', async () => {
    for (let guess = 0; guess < UNKNOWN_PER_MINUTE; guess++)
      await api.http.get('/api/v1/status').set('X-Forwarded-For', `203.0.113.${guess}`).expect(401);
    await api.http.get('/api/v1/status').set('X-Forwarded-For', '203.0.113.99').expect(429);
  });

  it('A07 answers no page of another site: no CORS header, no form', async () => {
    const origin: [string, string] = ['Origin', 'https://evil.example'];
    const preflight = await api.http
      .options('/api/v1/safety/resume')
      .set(...origin)
      .set('Access-Control-Request-Method', 'POST')
      .set('Access-Control-Request-Headers', 'authorization');
    const read = await api.http
      .get('/api/v1/status')
      .set(...bearer(VIEWER_KEY))
      .set(...origin);
    for (const { headers } of [preflight, read])
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    const form = await api.http
      .post('/api/v1/safety/halt')
      .set(...bearer(OPERATOR_KEY))
      .type('form')
      .send({ reason: 'test' })
      .expect(415);
    expect(messageIn(form)).toBe('the body must be JSON, sent as Content-Type: application/json');
    expect(api.world.safety.state).toBe('NORMAL');
  });

  it('does not name its software, and sets the protective headers', async () => {
    const { headers } = await api.http.get('/api/v1/status').expect(401);
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('server');
    expect(headers).toHaveProperty('x-content-type-options', 'nosniff');
    expect(String(headers['content-security-policy'])).toContain("default-src 'self'");
  });
});

describe('A22 an API with further names', () => {
  it('serves the names of api.allowedHosts beside those of this machine, and no other', async () => {
    const named = await startApi({ more: 'allowedHosts: "bot.example.com, 192.0.2.7"' });
    try {
      for (const name of ['bot.example.com', 'Bot.Example.Com:443', '192.0.2.7', 'localhost'])
        await named.http.get('/health/live').set('Host', name).expect(200);
      await named.http.get('/health/live').set('Host', 'example.com').expect(421);
    } finally {
      await named.close();
    }
  });

  it('that other machines reach is known by any name, unless the names are given', async () => {
    const open = await startApi({ more: 'host: 0.0.0.0' });
    await open.http.get('/health/live').set('Host', 'chimera.internal').expect(200);
    await open.close();
    const named = await startApi({ more: 'host: 0.0.0.0\n  allowedHosts: chimera.internal' });
    await named.http.get('/health/live').set('Host', 'chimera.internal').expect(200);
    await named.http.get('/health/live').set('Host', 'evil.example').expect(421);
    await named.close();
  });
});

describe('an API without configured keys', () => {
  it('A01 serves health only, and says why', async () => {
    const api = await startApi({ keys: '[]' });
    try {
      await api.http.get('/health/ready').expect(200);
      for (const key of ['', 'undefined', OPERATOR_KEY]) {
        const answer = await api.http
          .get('/api/v1/status')
          .set(...bearer(key))
          .expect(401);
        expect(messageIn(answer)).toBe(
          'no API key is configured (api.keys), so only health, metrics and the page /api/docs are served',
        );
      }
    } finally {
      await api.close();
    }
  });
});
