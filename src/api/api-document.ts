import type { INestApplication, Type } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { accessTo, type Level } from './access.js';
import { ANSWER_SCHEMAS } from './answer-schemas.js';
import { schemaNamed } from './described.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** How the document calls the API key. */
const KEY = 'key';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const WITH_KEY = {
  401: 'no valid key',
  429: 'too many requests: try again after the seconds of `Retry-After`',
};
const WITH_INPUT = { 400: 'a parameter or field is missing, wrong or not known' };
const WITH_BODY = {
  ...WITH_INPUT,
  413: 'the body is larger than 16 kB',
  415: 'the body is not JSON in UTF-8',
};
const FOR_OPERATORS = { 403: 'the key has the role viewer' };

const BUILT = new DocumentBuilder()
  .setOpenAPIVersion('3.1.0')
  .setTitle('Chimera')
  .setVersion('1')
  .setDescription(
    'The bot of one chain. Money is exact decimal text in whole units, and the end of a name gives the unit: `…Usd`, `…Eth`. Instants are ISO 8601 in UTC. What is not known is null.',
  )
  .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key of `api.keys`.' }, KEY)
  .build();

/** GET /api/docs-json: OpenAPI 3.1. */
export interface OpenApiAnswer {
  readonly openapi: string;
  readonly info: unknown;
  readonly paths: unknown;
  readonly components: unknown;
}

/** The OpenAPI document of all routes. The first request makes it from the controllers. */
@Injectable()
export class ApiDocument {
  #app: INestApplication | undefined;
  #document: OpenAPIObject | undefined;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly reflector: Reflector,
  ) {}

  /** Which application it is about. */
  describe(app: INestApplication): void {
    this.#app = app;
  }

  get(): OpenAPIObject {
    if (!this.#app) throw new TypeError('the API document has no application');
    return (this.#document ??= this.#make(this.#app));
  }

  #make(app: INestApplication): OpenAPIObject {
    const access = new Map<string, Level>();
    for (const { controllers } of this.modules.values())
      for (const { metatype } of controllers.values())
        if (metatype) this.#noteAccess(metatype as Type, access);

    const document = SwaggerModule.createDocument(app, BUILT, { operationIdFactory: operationId });
    for (const path of Object.values(document.paths))
      for (const operation of METHODS.flatMap((method) => path[method] ?? []))
        complete(operation, access.get(operation.operationId ?? '') ?? 'operator');
    const { components, ...rest } = document;
    return { ...rest, components: { ...components, schemas: { ...components?.schemas, ...ANSWER_SCHEMAS } } };
  }

  #noteAccess(controller: Type, access: Map<string, Level>): void {
    const methods = Object.entries(Object.getOwnPropertyDescriptors(controller.prototype as object));
    for (const [name, { value }] of methods)
      if (typeof value === 'function') {
        const place = { getHandler: () => value as () => void, getClass: <T>() => controller as Type<T> };
        access.set(operationId(controller.name, name), accessTo(place, this.reflector));
      }
  }
}

const operationId = (controller: string, method: string): string =>
  `${controller.replace(/Controller$/, '').toLowerCase()}-${method}`;

/** Adds the role that is needed, and the errors that every route of its kind has. */
function complete(operation: Operation, role: Level): void {
  const common = {
    ...(operation.parameters?.some((one) => 'in' in one && one.in === 'query') && WITH_INPUT),
    ...(operation.requestBody && WITH_BODY),
    ...(role !== 'public' && WITH_KEY),
    ...(role === 'operator' && FOR_OPERATORS),
  };
  for (const [status, description] of Object.entries(common))
    operation.responses[status] ??= {
      description,
      content: { 'application/json': { schema: schemaNamed('ErrorAnswer') } },
    };
  const needs = role === 'public' ? 'No key is needed.' : `The role ${role} is needed.`;
  operation.description = [operation.description, needs].filter(Boolean).join(' ');
  operation.security = role === 'public' ? [] : [{ [KEY]: [] }];
  Object.assign(operation, { 'x-role': role });
}
