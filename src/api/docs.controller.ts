import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Param, Res } from '@nestjs/common';
import { ApiParam, type OpenAPIObject } from '@nestjs/swagger';
import type { Response } from 'express';
import { Access } from './access.js';
import { ApiDocument } from './api-document.js';
import { Described } from './described.js';
import { DOCS_PAGE, DOCS_SCRIPT } from './docs-page.js';
import { Refusal } from './refusal.js';

const swagger = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'));
const FILES = dirname(swagger.resolve('swagger-ui-dist/package.json'));
/** The files of Swagger UI that the page uses. No other one is served. */
const SERVED: ReadonlySet<string> = new Set(['swagger-ui.css', 'swagger-ui-bundle.js']);
const OWN_SCRIPT = 'docs.js';

/**
 * The API document, and a page that shows it. The page and its files are the same for every bot, so they need
 * no key: a browser cannot send one when it opens an address. The document itself does.
 */
@Controller('api')
export class DocsController {
  constructor(private readonly document: ApiDocument) {}

  @Access('viewer')
  @Described({ summary: 'This document', answer: 'OpenApiAnswer' })
  @Get('docs-json')
  json(): OpenAPIObject {
    return this.document.get();
  }

  @Access('public')
  @Described({ summary: 'A page that asks for a key and shows this document', type: 'text/html' })
  @Get('docs')
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): string {
    return DOCS_PAGE;
  }

  @Access('public')
  @Described({
    summary: 'The scripts and styles of the page',
    type: 'text/javascript',
    errors: { 404: 'the page has no such file' },
  })
  @ApiParam({ name: 'file', enum: [OWN_SCRIPT, ...SERVED] })
  @Get('docs/:file')
  file(@Param('file') file: string, @Res() response: Response): void {
    if (file === OWN_SCRIPT) response.type('text/javascript').send(DOCS_SCRIPT);
    else if (SERVED.has(file)) response.sendFile(join(FILES, file), { maxAge: '1h' });
    else throw new Refusal(404, 'the page has no such file');
  }
}
