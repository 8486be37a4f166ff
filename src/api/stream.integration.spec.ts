import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstOf, messageIn } from '../../testing/api-answers.js';
import { OPERATOR_KEY, startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { eventually } from '../../testing/eventually.js';
import type { StatusAnswer } from './status-answer.js';
import { MOST_STREAMS } from './status-stream.js';

const PATH = '/api/v1/stream';
const bearer = (key: string): { Authorization: string } => ({ Authorization: `Bearer ${key}` });

/** A client that reads, and keeps what it got. */
class Listening {
  readonly told: { readonly event: string; readonly data: unknown }[] = [];
  status = 0;
  hasEnded = false;
  readonly #abort = new AbortController();

  constructor(api: ApiApp, key: string) {
    const { port } = api.server.address() as AddressInfo;
    void this.#read(`http://127.0.0.1:${port}${PATH}`, key)
      .catch(() => undefined)
      .finally(() => (this.hasEnded = true));
  }

  states(): StatusAnswer[] {
    return this.told.flatMap(({ event, data }) => (event === 'status' ? [data as StatusAnswer] : []));
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(url: string, key: string): Promise<void> {
    const answer = await fetch(url, { headers: bearer(key), signal: this.#abort.signal });
    this.status = answer.status;
    let rest = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = `${rest}${chunk}`.split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        const [, event = '', data = 'null'] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
        this.told.push({ event, data: JSON.parse(data) as unknown });
      }
    }
  }
}

describe('the stream of the status', { timeout: 60_000 }, () => {
  let api: ApiApp;
  let open: Listening[];
  const listen = (key = VIEWER_KEY): Listening => {
    const one = new Listening(api, key);
    open.push(one);
    return one;
  };

  beforeEach(async () => {
    api = await startApi();
    open = [];
  });

  afterEach(async () => {
    for (const one of open) one.close();
    await api.close();
  });

  it('A16 answers 401 without a valid key, and tells nothing', async () => {
    for (const headers of [{}, bearer('a-wrong-key')]) {
      const answer = await firstOf(api, 'GET', PATH, headers);
      expect(answer.status).toBe(401);
      expect(answer.text).not.toContain('safety');
    }
    // A key in the address is not taken.
    expect((await firstOf(api, 'GET', `${PATH}?key=${VIEWER_KEY}`)).status).toBe(401);
  });

  it('tells who listens and the state at once, and each change of it', async () => {
    const one = listen();
    await eventually(() => one.states().length > 0, 'the first state');
    expect(one.told[0]).toEqual({ event: 'caller', data: { name: 'reader', role: 'viewer' } });
    const [first] = one.states();
    const { text } = await api.http.get('/api/v1/status').set(bearer(VIEWER_KEY));
    expect(Object.keys(first ?? {})).toEqual(Object.keys(JSON.parse(text) as object));
    expect(first?.safety.state).toBe('NORMAL');
    await api.http
      .post('/api/v1/safety/halt')
      .set(bearer(OPERATOR_KEY))
      .send({ reason: 'a test' })
      .expect(200);
    await eventually(() => one.states().at(-1)?.safety.state === 'HALTED', 'the halt');
    expect(one.states().at(-1)?.safety.reason).toBe('a test');
  });

  it('many changes at once become one message, with the newest of them', async () => {
    const one = listen();
    await eventually(() => one.states().length > 0, 'the first state');
    const before = one.states().length;
    for (let positions = 1; positions <= 500; positions++) api.world.bot = { ...api.world.bot, positions };
    await eventually(() => one.states().at(-1)?.positions.total === 500, 'the last change');
    const seen = one.states().slice(before);
    expect(
      seen.map(({ positions }) => positions.total).filter((total) => total < 500 && total !== 50),
    ).toEqual([]);
  });

  it('A06 A21 more streams than there is room for are refused, and viewers leave room for an operator', async () => {
    const viewers = Array.from({ length: MOST_STREAMS }, () => listen());
    await eventually(() => viewers.every((one) => one.states().length > 0), 'all of them');
    const refused = await firstOf(api, 'GET', PATH, bearer(VIEWER_KEY));
    expect(refused.status).toBe(503);
    expect(messageIn(refused)).toBe('16 streams are open with keys of this role: close one of them');
    const operator = listen(OPERATOR_KEY);
    await eventually(() => operator.states().length > 0, 'the operator');
    viewers[0]?.close();
    await eventually(async () => {
      const again = listen();
      await eventually(() => again.status !== 0, 'an answer');
      return again.status === 200;
    }, 'room again');
  });

  it('A06 a reader that takes nothing is disconnected, and the others go on', async () => {
    // Each message is far larger than what the sockets of both sides hold.
    const reason = 'r'.repeat(4_000_000);
    const { port } = api.server.address() as AddressInfo;
    const deaf: Socket = connect(port, '127.0.0.1');
    deaf.on('error', () => undefined);
    deaf.write(`GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${VIEWER_KEY}\r\n\r\n`);
    await new Promise((resolve) => deaf.once('readable', resolve));
    deaf.pause();
    const one = listen();
    await eventually(() => one.states().length > 0, 'the first state');
    let changes = 0;
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) =>
        api.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      );
    await eventually(async () => {
      api.world.safety = { ...api.world.safety, reason: `${reason}${++changes}` };
      return (await connections()) === 1;
    }, 'only the one that reads is left');
    await eventually(() => one.states().at(-1)?.safety.reason === `${reason}${changes}`, 'the newest state');
    deaf.destroy();
  });

  it('an answer to HEAD ends, and takes no room', async () => {
    for (let times = 0; times <= MOST_STREAMS; times++) {
      const answer = await firstOf(api, 'HEAD', PATH, bearer(VIEWER_KEY));
      expect(answer).toMatchObject({ status: 200, text: '' });
    }
    const one = listen();
    await eventually(() => one.states().length > 0, 'room for a reader');
  });

  it('ends when the bot stops', async () => {
    const one = listen();
    await eventually(() => one.states().length > 0, 'the first state');
    await api.close();
    await eventually(() => one.hasEnded, 'the end');
    api = await startApi();
  });

  it('A06 ends when the bot stops, also for a reader that takes nothing', async () => {
    const accepted: Socket[] = [];
    api.server.on('connection', (socket: Socket) => accepted.push(socket));
    const { port } = api.server.address() as AddressInfo;
    const deaf: Socket = connect(port, '127.0.0.1').on('error', () => undefined);
    deaf.write(`GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${VIEWER_KEY}\r\n\r\n`);
    await new Promise((resolve) => deaf.once('readable', resolve));
    api.world.safety = { ...api.world.safety, reason: 'r'.repeat(20_000_000) };
    await eventually(() => accepted[0]?.writableNeedDrain === true, 'the connection to be full');
    await api.close();
    expect(accepted[0]?.destroyed).toBe(true);
    deaf.destroy();
    api = await startApi();
  });

  it('ends when the state cannot be told, and the bot lives on', async () => {
    const one = listen();
    await eventually(() => one.states().length > 0, 'the first state');
    const { bot } = api.world;
    Object.defineProperty(api.world, 'bot', {
      configurable: true,
      get: () => {
        throw new TypeError('a bug');
      },
    });
    await eventually(() => one.hasEnded, 'the end');
    expect(api.logged.join('\n')).toContain('the stream ends: TypeError: a bug');
    Object.defineProperty(api.world, 'bot', { configurable: true, writable: true, value: bot });
    const again = listen();
    await eventually(() => again.states().length > 0, 'a state again');
  });
});
