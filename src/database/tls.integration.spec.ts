import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { VARIABLES, withSection } from '../../testing/configuration.js';
import { makeCertificates, type Certificates } from '../../testing/certificates.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { parseConfig, type ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { RetryError, StartupError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/index.js';
import { checkDatabase } from './check-database.js';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { DatabaseServer } from './database-server.js';

const PASSWORD = 'the password of the bot';

describe('TLS to the database', { timeout: 60_000 }, () => {
  let dataDir: string;
  let server: EmbeddedPostgres;
  let admin: DataSource;
  let ours: Certificates;
  let others: Certificates;
  const proxies: Server[] = [];

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-tls-'));
    server = await startEmbeddedPostgres({ dataDir });
    admin = await createDataSource(server).initialize();
    ours = makeCertificates(dataDir, 'ours');
    others = makeCertificates(dataDir, 'others');
    put('server.crt', ours.certificate);
    put('server.key', ours.key);
    await admin.query(`CREATE ROLE bot LOGIN PASSWORD '${PASSWORD}'`);
    await admin.query('GRANT ALL ON DATABASE chimera TO bot');
    await admin.query('ALTER DATABASE chimera OWNER TO bot');
    await admin.query('ALTER SYSTEM SET ssl = on');
  });

  afterEach(() => {
    for (const proxy of proxies.splice(0)) proxy.close();
  });

  afterAll(async () => {
    await admin.destroy();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** A file of the server's own, as it demands it. */
  function put(name: string, text: string): void {
    const path = join(dataDir, 'cluster', name);
    writeFileSync(path, text, { mode: 0o600 });
    const { uid, gid } = statSync(join(dataDir, 'cluster'));
    chownSync(path, uid, gid);
  }

  /** How the role of the bot may log in, first line first. The administrator's connection stays as it was. */
  async function allow(...lines: string[]): Promise<void> {
    const rest = 'host all chimera 127.0.0.1/32 scram-sha-256';
    put('pg_hba.conf', `${lines.join('\n')}\n${rest}\n`);
    const before = readFileSync(join(dataDir, 'postgres.log'), 'utf8').length;
    await admin.query('SELECT pg_reload_conf()');
    await expect
      .poll(() => readFileSync(join(dataDir, 'postgres.log'), 'utf8').slice(before))
      .toMatch(/reload/);
  }

  const configAt = (extra: string, { host = 'localhost', port = server.port } = {}): ChimeraConfig =>
    parseConfig(withSection('database', `{ host: ${host}, port: ${port}, name: chimera${extra} }`), {
      ...VARIABLES,
      DB_USER: 'bot',
      DB_PASSWORD: PASSWORD,
    });

  /** What the check and the start say: nothing, or the same sentence. */
  async function problemsOf(config: ChimeraConfig): Promise<readonly string[]> {
    const found = await checkDatabase(config);
    const opened = await DatabaseServer.open(config, new RecordedEvents(), new Clock()).then(
      () => [],
      (error: unknown) => (error instanceof StartupError ? error.problems : [String(error)]),
    );
    expect(opened).toEqual(found);
    expect(found.join()).not.toContain(PASSWORD);
    return found;
  }

  it('F54 a server that takes encrypted connections only: off says so, require and verify-full work', async () => {
    await allow('hostssl all bot all scram-sha-256');
    const where = `database at localhost:${server.port}`;
    expect(await problemsOf(configAt(''))).toEqual([
      `${where} accepts encrypted connections only; set database.ssl to verify-full, or to require`,
    ]);
    expect(await problemsOf(configAt(', ssl: require'))).toEqual([]);
    expect(await problemsOf(configAt(`, ssl: verify-full, sslCa: '${ours.ca}'`))).toEqual([]);
    const address = { host: 'localhost', port: server.port, database: 'chimera', user: 'bot' };
    const source = createDataSource({ ...address, password: new Secret(PASSWORD), tls: { mode: 'require' } });
    const database = new Database(await source.initialize());
    expect(await database.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual([
      { ssl: true },
    ]);
    await source.destroy();
  });

  it('F54 verify-full refuses another authority, and a host that the certificate does not name', async () => {
    await allow('hostssl all bot all scram-sha-256');
    const remedy =
      'set database.sslCa to the file of its authority, and database.host to the name in the certificate';
    const shows = 'shows a certificate that is not accepted';
    for (const ca of ['', `, sslCa: '${others.ca}'`])
      expect(await problemsOf(configAt(`, ssl: verify-full${ca}`))).toEqual([
        `database at localhost:${server.port} ${shows}: its authority is not known; ${remedy}`,
      ]);
    const elsewhere = { host: '127.0.0.2', port: await proxyAt('127.0.0.2') };
    expect(await problemsOf(configAt(`, ssl: verify-full, sslCa: '${ours.ca}'`, elsewhere))).toEqual([
      `database at 127.0.0.2:${elsewhere.port} ${shows}: it is for another host name; ${remedy}`,
    ]);
  });

  it('F54 a file of an authority that is not there, or is none, is one sentence', async () => {
    writeFileSync(join(dataDir, 'none.pem'), 'no certificate');
    expect(await problemsOf(configAt(`, ssl: verify-full, sslCa: '${join(dataDir, 'absent.pem')}'`))).toEqual(
      [`database.sslCa: the file ${join(dataDir, 'absent.pem')} cannot be read (ENOENT)`],
    );
    expect(await problemsOf(configAt(`, ssl: verify-full, sslCa: '${join(dataDir, 'none.pem')}'`))).toEqual([
      `database.sslCa: the file ${join(dataDir, 'none.pem')} holds no certificate; the authority's certificate in PEM form was expected`,
    ]);
    expect(() => configAt(', ssl: require, sslCa: ./ca.pem')).toThrow(
      /^database\.sslCa: ".\/ca.pem" is not valid; it has an effect only with ssl: verify-full$/,
    );
  });

  it('F54 a server without TLS, when TLS is demanded, is one sentence', async () => {
    await allow('host all bot all scram-sha-256');
    await admin.query('ALTER SYSTEM SET ssl = off');
    await allow('host all bot all scram-sha-256');
    try {
      expect(await problemsOf(configAt(', ssl: require'))).toEqual([
        `database at localhost:${server.port} does not speak TLS, but database.ssl is require; turn TLS on at the server, or set database.ssl to off`,
      ]);
      expect(await problemsOf(configAt(''))).toEqual([]);
    } finally {
      await admin.query('ALTER SYSTEM SET ssl = on');
    }
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4')?.address;

  it.runIf(outside)(
    'A23 a password is not sent in clear text off this machine, only over TLS or on it',
    async () => {
      await allow('host all bot all password');
      expect(await problemsOf(configAt(''))).toEqual([]); // on this machine
      const port = await proxyAt(outside ?? '');
      const remote = { host: outside ?? '', port };
      const sent = heard.length;
      expect(await problemsOf(configAt('', remote))).toEqual([
        `database at ${outside}:${port} asks for the password in clear text, and the connection has no TLS: nothing was sent; set database.ssl to verify-full`,
      ]);
      expect(Buffer.concat(heard.slice(sent)).includes(PASSWORD)).toBe(false);
      expect(await problemsOf(configAt(', ssl: require', remote))).toEqual([]);
      expect(Buffer.concat(heard.slice(sent)).includes(PASSWORD)).toBe(false);

      // While the bot runs it is a condition that passes.
      const address = { ...remote, database: 'chimera', user: 'bot', password: new Secret(PASSWORD) };
      const error = await createDataSource(address)
        .initialize()
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RetryError);
      await allow('host all bot all scram-sha-256'); // the password itself is not sent
      expect(await problemsOf(configAt('', remote))).toEqual([]);
      expect(Buffer.concat(heard.slice(sent)).includes(PASSWORD)).toBe(false);
    },
  );

  /** Everything that clients have sent through a proxy. */
  const heard: Buffer[] = [];

  /** Listens at another address of this machine, and passes on to the server. @returns its port */
  async function proxyAt(host: string): Promise<number> {
    const proxy = createServer((client) => {
      const upstream = connect(server.port, '127.0.0.1');
      client.on('data', (bytes: Buffer) => heard.push(bytes));
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream])
        socket.on('error', () => [client.destroy(), upstream.destroy()]);
    }).listen(0, host);
    proxies.push(proxy);
    await once(proxy, 'listening');
    const address = proxy.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }
});
