import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstOf, messageIn, type FirstOfAnswer } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { ApiKeys } from './api-keys.js';

const KEYED = `Host: 127.0.0.1\r\nAuthorization: Bearer ${VIEWER_KEY}\r\n`;
const headers = { Authorization: `Bearer ${VIEWER_KEY}` };

describe('requests and the passes of the bot', { timeout: 60_000 }, () => {
  let api: ApiApp;
  let arrived: number;
  let sockets: Socket[];

  beforeEach(async () => {
    api = await startApi();
    [arrived, sockets] = [0, []];
    api.server.on('request', () => (arrived += 1));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await api.close();
  });

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

  it.each([
    ['without a key', {}],
    ['with the key of a viewer', headers],
  ])('A06 a halt %s waits for the pass as every request does', async (_, of) => {
    api.world.inPass = true;
    let hasWaited = true;
    const refused = firstOf(api, 'POST', '/api/v1/safety/halt', of).then((answer) => {
      hasWaited = !api.world.inPass;
      return answer.status;
    });
    await vi.waitFor(() => expect(arrived).toBe(1));
    await api.http
      .post('/api/v1/safety/halt')
      .set('Authorization', `Bearer ${OPERATOR_KEY}`)
      .send({ reason: 'now' })
      .expect(200);
    api.world.inPass = false;
    expect(await refused).toBeGreaterThan(400);
    expect(hasWaited).toBe(true);
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

  it('F28 requests whose database never answers do not hide the bot, and end nothing for good', async () => {
    api.world.databaseHangs = true;
    const hanging = Array.from({ length: 8 }, () => opened(`GET /api/v1/profit HTTP/1.1\r\n${KEYED}\r\n`));
    await vi.waitFor(() => expect(arrived).toBe(hanging.length));
    expect((await firstOf(api, 'GET', '/health/live')).status).toBe(200);
    expect((await status()).status).toBe(200);
    api.world.databaseHangs = false;
    const profit = (): Promise<FirstOfAnswer> => firstOf(api, 'GET', '/api/v1/profit', headers);
    await vi.waitFor(async () => expect((await profit()).status).toBe(200), { timeout: 30_000 });
  });

  it('A06 bodies that arrive slowly, without a key, do not keep others out', async () => {
    const head = 'Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';
    const slow = Array.from({ length: 50 }, () =>
      opened(`POST /api/v1/safety/resume HTTP/1.1\r\n${head}\r\n{`),
    );
    await vi.waitFor(() => expect(arrived).toBe(slow.length));
    const answers = await Promise.all(Array.from({ length: 20 }, status));
    expect(answers.map((one) => one.status)).toEqual(Array<number>(20).fill(200));
  });

  it('A06 requests of clients that have gone are not carried out, and take no place', async () => {
    const carriedOut = vi.spyOn(api.get(ApiKeys), 'holderOf');
    api.world.inPass = true;
    const gone = Array.from({ length: 1_000 }, () =>
      // Two in one connection: only the first of them has the connection yet.
      opened(`GET /api/v1/status HTTP/1.1\r\n${KEYED}\r\n`.repeat(2)),
    );
    await vi.waitFor(() => expect(arrived).toBeGreaterThan(1_000), { timeout: 5_000 });
    for (const socket of gone) socket.destroy();
    await vi.waitFor(() => expect(connections()).resolves.toBe(0), { timeout: 5_000 });
    const before = carriedOut.mock.calls.length;
    expect((await status()).status).toBe(200);
    expect(carriedOut.mock.calls.length - before).toBe(1);
  });

  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => {
      api.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  const opened = (text: string): Socket => {
    const { port } = api.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.resume().write(text);
    sockets.push(socket);
    return socket;
  };
});
