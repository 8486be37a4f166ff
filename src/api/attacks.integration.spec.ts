import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstOf } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, type ApiApp } from '../../testing/api-app.js';
import { ApiDocument } from './api-document.js';

/** Every route of the server: another spec compares the document with what the server has. */
describe('attacks on every route', { timeout: 60_000 }, () => {
  let api: ApiApp;
  let routes: { readonly method: 'get' | 'post'; readonly path: string; readonly role: string }[];

  beforeAll(async () => {
    api = await startApi();
    routes = Object.entries(api.get(ApiDocument).get().paths).flatMap(([path, operations]) =>
      (['get', 'post'] as const).flatMap((method) => {
        const operation: object | undefined = operations[method];
        const role = operation && 'x-role' in operation ? String(operation['x-role']) : 'no role';
        return operation ? [{ method, path: path.replace(/\{\w+\}/g, 'nothing'), role }] : [];
      }),
    );
  });

  afterAll(() => api.close());

  const posts = (): string[] => routes.flatMap(({ method, path }) => (method === 'post' ? [path] : []));
  const post = (path: string) => api.http.post(path).set('Authorization', `Bearer ${OPERATOR_KEY}`);
  const expectUntouched = (): void => {
    expect(api.world.safety.state).toBe('NORMAL');
    expect(api.world.actions).toEqual([]);
  };

  it.each([
    'Bearer',
    'Bearer ',
    'Basic b3BzOm9wcw==',
    `Bearer ${OPERATOR_KEY} x`,
    'Bearer \u00e4',
    `Bearer ${'k'.repeat(600)}`,
  ])('A04 the header %j opens none', async (header) => {
    // Few of them: an address that guesses is refused after a while.
    for (const { method, path, role } of routes.filter((one) => one.role !== 'public').slice(0, 4))
      expect((await api.http[method](path).set('Authorization', header)).status, `${path} ${role}`).toBe(401);
  });

  it.each([
    ['A05 an unknown field', { reason: 'r', other: 1 }],
    ['A05 a reason that is no text', { reason: 7 }],
    ['A05 a list', [{ reason: 'r' }]],
    ['A05 a key of the prototype', JSON.parse('{"reason":"r","__proto__":{"a":1}}') as object],
    ['A14 a reason of two lines', { reason: 'r\nHALTED by ops' }],
    ['A14 a reason that turns the text around', { reason: 'r\u202e' }],
    ['A20 a reason of invisible characters', { reason: '\u200b' }],
    ['A06 a body that is nested too deeply', { reason: [[[[[[1]]]]]] }],
  ])('%s is refused by every route that changes something', async (_, body) => {
    for (const path of posts()) {
      // An acknowledgement needs no reason, so it may have one of invisible characters.
      if (path.endsWith('/acknowledge') && JSON.stringify(body).includes('\u200b')) continue;
      expect((await post(path).send(body)).status, path).toBe(400);
    }
    expectUntouched();
  });

  it('A06 A07 a body that is too large, and a form of another site, are refused by every one of them', async () => {
    for (const path of posts()) {
      expect((await post(path).send({ reason: 'r'.repeat(17_000) })).status, path).toBe(413);
      expect((await post(path).type('form').send('reason=r')).status, path).toBe(415);
    }
    expectUntouched();
  });

  it('A07 A09 A22 no answer lets another site read it, shows a stack, or is for another host', async () => {
    for (const { method, path } of routes) {
      const answer = await firstOf(api, method.toUpperCase(), path, {
        Authorization: `Bearer ${OPERATOR_KEY}`,
        Origin: 'https://evil.example',
      });
      expect(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
        path,
      ).toEqual([]);
      expect(answer.text, path).not.toMatch(/\bat \S+ \(|node_modules/);
      expect((await api.http[method](path).set('Host', 'evil.example')).status, path).toBe(421);
    }
    expectUntouched();
  });
});
