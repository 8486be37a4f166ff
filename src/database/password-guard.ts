import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import { RetryError } from '../domain/errors.js';
import { userOf, type Login } from './server-words.js';

/** The server asks for the password itself, over a connection that others can read. Nothing was sent. */
export class ClearTextPasswordRefused extends RetryError {}

/**
 * A client that sends the password in clear text only over TLS, or to an address of this machine. PostgreSQL
 * lets the server choose how a client logs in, and pg obeys. SCRAM and MD5 do not send the password.
 *
 * @param login read at each connection
 * @returns a class for the option `Client` of pg's pool.
 */
export function guardedClient(login: Login): typeof Client {
  return class GuardedClient extends Client {
    #asksInClear = false;

    constructor(config?: string | ClientConfig) {
      // A function, because pg would otherwise look for a password in PGPASSWORD and in ~/.pgpass.
      super({
        ...(typeof config === 'object' && config),
        user: userOf(login),
        password: () => this.#password(),
      });
      const connection: unknown = Reflect.get(this, 'connection');
      if (!(connection instanceof EventEmitter)) throw new TypeError('pg shows no connection of its client');
      // Before pg's own listener, which calls the function above.
      connection.prependListener('authenticationCleartextPassword', () => {
        this.#asksInClear = !isPrivate(Reflect.get(connection, 'stream'));
      });
    }

    #password(): string {
      if (this.#asksInClear)
        throw new ClearTextPasswordRefused(
          'the server asks for the password in clear text over a connection without TLS, so it was not sent',
        );
      const { password } = login;
      if (password === undefined) throw new TypeError('the server asks for a password, and there is none');
      return password.reveal();
    }
  };
}

/** Encrypted, or it does not leave this machine. */
function isPrivate(stream: unknown): boolean {
  if (!(stream instanceof Socket)) return false;
  return ('encrypted' in stream && stream.encrypted === true) || isLoopback(stream.remoteAddress ?? '');
}

function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === '::1';
}
