import { ValidationPipe, type ArgumentMetadata, type ValidationError } from '@nestjs/common';
import { Refusal } from './refusal.js';

/**
 * Our bodies have no nested values. On the deepest JSON that fits into 16 kB the recursive class-transformer
 * would overflow the stack.
 */
const DEEPEST_BODY = 4;
/** Nest's pipe drops these fields silently. Here they are refused like other unknown fields. */
const PROTOTYPE_KEYS = ['__proto__', 'constructor', 'prototype'];
/** Longer names are cut, because the caller chose them. */
const LONGEST_NAME = 40;
const MOST_PROBLEMS = 3;

/** Reads bodies and queries into classes. Fields that the class does not declare are refused. */
export class RequestValidation extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      stopAtFirstError: true,
      exceptionFactory: (errors) => new Refusal(400, sentenceOf(errors)),
    });
  }

  /** @throws Refusal with what is wrong in one sentence. */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && typeof value === 'object' && value !== null) {
      if (Array.isArray(value)) throw new Refusal(400, 'a JSON object was expected');
      if (isDeeperThan(value, DEEPEST_BODY)) throw new Refusal(400, 'the body is nested too deeply');
      const key = PROTOTYPE_KEYS.find((name) => Object.hasOwn(value, name));
      if (key !== undefined) throw new Refusal(400, unknownField(key));
    }
    return super.transform(value, metadata);
  }
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}

function sentenceOf(errors: readonly ValidationError[]): string {
  const problems = errors.flatMap(({ property, constraints = {} }) =>
    Object.entries(constraints).map(([rule, text]) =>
      rule === 'whitelistValidation' ? unknownField(property) : text,
    ),
  );
  return problems.slice(0, MOST_PROBLEMS).join('; ') || 'a JSON object was expected';
}

function unknownField(name: string): string {
  return `${JSON.stringify(name.slice(0, LONGEST_NAME))} is not a known field`;
}
