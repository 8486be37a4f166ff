import type { Server } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { ChimeraConfig } from '../config/index.js';
import { ApiDocument } from './api-document.js';
import { ErrorFilter } from './error.filter.js';
import { onlyNamed } from './host-names.js';
import { Refusal } from './refusal.js';
import { RequestQueue } from './request-queue.js';
import { RequestValidation } from './request-validation.js';

/** The largest valid body is a reason of 500 characters. The rest is room for escapes. */
const BODY_LIMIT_BYTES = 16 * 1024;
/** A client that is slower in sending its headers, or its whole request, is disconnected. Milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Configures HTTP apart from the routes. main and the tests call it after `create` and before `init` or
 * `listen`. CORS stays off: pages of other sites may not read an answer.
 */
export function configureApp(app: NestExpressApplication): void {
  const queue = app.get(RequestQueue);
  // An answer that is the same again is rare, and its hash would be made for each. Files keep theirs.
  app.set('etag fn', undefined);
  // Before anything is done for a request.
  app.use((request: Request, response: Response, next: NextFunction) => queue.take(request, response, next));
  // The API is also served over plain HTTP, where upgraded requests would fail.
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(onlyNamed(app.get(ChimeraConfig).api));
  app.use(onlyJson);
  app.useBodyParser('json', { limit: BODY_LIMIT_BYTES });
  app.useGlobalPipes(new RequestValidation());
  app.useGlobalFilters(new ErrorFilter());
  app.get(ApiDocument).describe(app);
  const server: Server = app.getHttpServer();
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
}

/**
 * Refuses a form before any parser sees it. A form is the only thing that a page of another site can post
 * here.
 */
function onlyJson(request: Request, _: Response, next: NextFunction): void {
  const isOther = request.headers['content-type'] !== undefined && request.is('application/json') === false;
  next(
    isOther ? new Refusal(415, 'the body must be JSON, sent as Content-Type: application/json') : undefined,
  );
}
