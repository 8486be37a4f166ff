import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Operator } from '../safety/index.js';
import type { ApiKey, Role } from './api-keys.js';
import { Refusal } from './refusal.js';

export type Level = 'public' | Role;

/** Who may call a route: everyone, or the holder of a key with at least this role. */
export const Access = Reflector.createDecorator<Level>();

/** An operator may do everything that a viewer may. */
const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1 };

export function mayCall({ role }: ApiKey, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

/** Of a route: its method and the class of its controller. */
type RoutePlace = Pick<ExecutionContext, 'getHandler' | 'getClass'>;

/** A route without {@link Access} is for operators only. */
export function accessTo(context: RoutePlace, reflector: Reflector): Level {
  const places = [context.getHandler(), context.getClass()];
  return reflector.getAllAndOverride<Level | undefined>(Access.KEY, places) ?? 'operator';
}

/** The halt: calls by callers with the needed role are not counted against a limit, and each one is done. */
export const HaltRoute = Reflector.createDecorator<true>();

/** The guard adds the caller when it lets a request pass. */
export interface CallerRequest extends Request {
  caller?: ApiKey;
}

/** The caller, for the audit trail. The address is the socket's; an X-Forwarded-For header is not trusted. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Operator => {
  const { caller, ip } = context.switchToHttp().getRequest<CallerRequest>();
  if (!caller) throw new Refusal(401, 'an API key is needed');
  return { ...caller, address: ip ?? 'unknown' };
});
