import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { sharedCertificates } from '../certificates.js';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it was sent, with its headers. */
  readonly source: string;
  readonly user: string | undefined;
  readonly wasEncrypted: boolean;
}

export interface MailServerOptions {
  /** Without it the server offers no encryption. */
  readonly offersTls?: boolean;
  /** The connection is encrypted from its first byte. */
  readonly implicitTls?: boolean;
}

/** A mail server that takes mail only after STARTTLS and a login. */
export class MailServer {
  readonly mails: Mail[] = [];
  readonly user = 'chimera';
  password = 'the-password-of-the-mailbox';
  /** Recipients that it does not know. */
  readonly unknown = new Set<string>();
  /** What it answers to every mail: a number of the protocol. */
  answer: number | undefined;
  /** It takes the mail, and answers only when this resolves. */
  hold: Promise<void> | undefined;
  #server!: SMTPServer;
  #authorityFile = '';

  static async start(options: MailServerOptions = {}): Promise<MailServer> {
    const mail = new MailServer();
    const { ca, certificate, key } = sharedCertificates();
    mail.#authorityFile = ca;
    mail.#server = mail.#make(certificate, key, options);
    // A client that gives up is no failure of the server.
    mail.#server.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      mail.#server.listen(0, '127.0.0.1', resolve);
    });
    return mail;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  get authorityFile(): string {
    return this.#authorityFile;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(resolve);
    });
  }

  #make(cert: string, key: string, { offersTls = true, implicitTls = false }: MailServerOptions): SMTPServer {
    return new SMTPServer({
      ...{ cert, key, secure: implicitTls, authMethods: ['PLAIN', 'LOGIN'] },
      hideSTARTTLS: !offersTls,
      disabledCommands: offersTls ? [] : ['STARTTLS'],
      // An unencrypted login is refused.
      allowInsecureAuth: false,
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === this.user && password === this.password;
        done(
          isRight ? null : new Error('5.7.8 authentication failed'),
          isRight ? { user: username } : undefined,
        );
      },
      onRcptTo: ({ address }, _session, done) => {
        done(this.unknown.has(address) ? refusal(550, '5.1.1 no such mailbox') : null);
      },
      onData: (stream, { envelope, user, secure }, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          void (this.hold ?? Promise.resolve()).then(() => {
            if (this.answer !== undefined) {
              done(refusal(this.answer, 'not now'));
              return;
            }
            this.mails.push({
              from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
              to: envelope.rcptTo.map(({ address }) => address),
              source: Buffer.concat(chunks).toString(),
              user: typeof user === 'string' ? user : undefined,
              wasEncrypted: secure,
            });
            done();
          });
        });
      },
    });
  }
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
