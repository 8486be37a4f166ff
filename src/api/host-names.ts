import type { NextFunction, Request, Response } from 'express';
import type { ApiConfig } from '../config/index.js';
import { Refusal } from './refusal.js';

const THIS_MACHINE = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses requests to a name that is not the bot's. A page of another site can let its own name point to this
 * machine, and its scripts then count as ours (DNS rebinding). They still need a key.
 *
 * An API that other machines reach is known by many names, so there the rule holds only when
 * `api.allowedHosts` names them. A request without a Host header comes from no browser.
 */
export function onlyNamed({ host, allowedHosts }: Pick<ApiConfig, 'host' | 'allowedHosts'>) {
  const names = new Set([...THIS_MACHINE, ...[host, ...allowedHosts].map(nameOf)]);
  const anyName = !isThisMachine(host) && allowedHosts.length === 0;
  return (request: Request, _: Response, next: NextFunction): void => {
    const { host: asked } = request.headers;
    const known = anyName || asked === undefined || names.has(nameOf(asked));
    next(known ? undefined : new Refusal(421, 'this API has another name; it is named in api.allowedHosts'));
  };
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** A host without its port, in lower case; an IPv6 address in brackets. */
function nameOf(host: string): string {
  const lower = host.trim().toLowerCase();
  if (/^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/.test(lower)) return `[${lower}]`;
  return lower.replace(/:\d*$/, '').replace(/\.$/, '');
}
