import { createTransport } from 'nodemailer';
import type { Message } from '../../domain/alert.js';
import type { Secret } from '../../domain/secret.js';
import { cut, headlineOf, plainTextOf } from '../message-text.js';
import { codeOf, DeliveryError, unreachable, type Channel } from './channel.js';

const LONGEST_SUBJECT = 200;
/** Beside the deadline of the whole: how long one step of the protocol may take. Milliseconds. */
const STEP_MS = 10_000;

export interface EmailOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'implicit';
  readonly login: { readonly user: string; readonly password: Secret } | undefined;
  readonly from: string;
  readonly to: readonly string[];
  readonly source: string;
}

/** Mail over an encrypted connection. Nothing is sent, neither login nor message, before it is encrypted. */
export class EmailChannel implements Channel {
  readonly kind = 'email';
  readonly name: string;

  constructor(private readonly options: EmailOptions) {
    this.name = options.name;
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    const { host, port, tls, login, from, to, source } = this.options;
    const transport = createTransport({
      ...{ host, port, secure: tls === 'implicit', requireTLS: tls === 'starttls' },
      ...(login && { auth: { user: login.user, pass: login.password.reveal() } }),
      ...{ connectionTimeout: STEP_MS, greetingTimeout: STEP_MS, socketTimeout: STEP_MS },
      ...{ disableFileAccess: true, disableUrlAccess: true },
    });
    const close = (): void => transport.close();
    signal.addEventListener('abort', close);
    try {
      const result = await transport.sendMail({
        from,
        to: [...to],
        subject: cut(`${headlineOf(message)} (${source})`, LONGEST_SUBJECT),
        text: plainTextOf(message, source),
        // The same when it is sent again: mail programs show it once.
        messageId: `<${message.id}@chimera.invalid>`,
        ...(message.severity === 'CRITICAL' && { priority: 'high' as const }),
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      const refused = result.rejected.length;
      // The others have it already: it is not sent again.
      if (refused > 0)
        throw new DeliveryError(`${refused} of ${to.length} recipients were refused`, { isFinal: true });
    } catch (error) {
      throw refusal(error, signal);
    } finally {
      signal.removeEventListener('abort', close);
      transport.close();
    }
  }
}

/** The answers of mail servers name accounts and hosts: only their numbers are shown. */
function refusal(error: unknown, signal: AbortSignal): DeliveryError {
  if (error instanceof DeliveryError || signal.aborted) return unreachable(error, signal);
  const { responseCode: status } = error as { readonly responseCode?: unknown };
  const code = codeOf(error);
  if (code === 'EAUTH')
    return new DeliveryError(`it refused the login (${typeof status === 'number' ? status : code})`);
  if (code === 'ETLS') return new DeliveryError('the connection cannot be encrypted, or not trusted (ETLS)');
  if (typeof status !== 'number') return unreachable(error, signal);
  // 4xx is temporary by the protocol. Of 5xx, the message or its addresses are at fault.
  return new DeliveryError(`it answered ${status}`, { isFinal: status >= 550 });
}
