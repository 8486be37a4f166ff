import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Operator } from '../safety/index.js';
import type { ApiKey, Role } from './api-keys.js';
import { Refusal } from './refusal.js';

type Level = 'public' | Role;

/** Who may call a route: everybody, or the holder of a key of at least this role. */
export const Access = Reflector.createDecorator<Level>();

/** A route that does not say is the operator's. */
export function accessTo(context: ExecutionContext, reflector: Reflector): Level {
  const places = [context.getHandler(), context.getClass()];
  return reflector.getAllAndOverride<Level | undefined>(Access.KEY, places) ?? 'operator';
}

/** Once the guard has let it pass, a request knows its caller. */
export interface CallerRequest extends Request {
  caller?: ApiKey;
}

/** Whom the audit trail names. The address is the socket's: an X-Forwarded-For is not believed. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Operator => {
  const { caller, ip } = context.switchToHttp().getRequest<CallerRequest>();
  if (!caller) throw new Refusal(401, 'an API key is needed');
  return { ...caller, address: ip ?? 'unknown' };
});
