import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { Events } from '../domain/events/events.js';
import { accessTo, mayCall, type CallerRequest } from './access.js';
import { ApiKeys } from './api-keys.js';
import { Refusal } from './refusal.js';

/**
 * Answers 401 without a valid key, and 403 when the key's role is too low. When no key is configured, every
 * route except the public ones answers 401 and not 404: the message tells an operator that the keys are
 * missing, and tells a stranger nothing that is not documented.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly keys: ApiKeys,
    private readonly reflector: Reflector,
    private readonly events: Events,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const needed = accessTo(context, this.reflector);
    if (needed === 'public') return true;
    const request = context.switchToHttp().getRequest<CallerRequest>();
    const from = request.ip ?? 'unknown';
    const caller = this.keys.callerOf(request);
    if (!caller) {
      this.events.emit({ event: 'api-key-refused', from });
      context.switchToHttp().getResponse<Response>().setHeader('WWW-Authenticate', 'Bearer');
      throw new Refusal(401, this.#whyUnknown());
    }
    if (!mayCall(caller, needed)) {
      const { name: key, role } = caller;
      const called = `${request.method} ${request.path}`;
      this.events.emit({ event: 'api-role-refused', from, key, role, needed, request: called });
      throw new Refusal(403, `the role ${needed} is needed, the key "${key}" has the role ${role}`);
    }
    request.caller = caller;
    return true;
  }

  #whyUnknown(): string {
    return this.keys.none
      ? 'no API key is configured (api.keys), so only health, metrics and the page /api/docs are served'
      : 'a valid API key is needed, sent as "Authorization: Bearer <key>"';
  }
}
