import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import type { Response } from 'express';
import { Access } from './access.js';
import { Described } from './described.js';
import { Refusal } from './refusal.js';

/** Where `npm run build:dashboard` writes: dist/dashboard, also for code that runs from dist/. */
function builtFiles(): string {
  const here = import.meta.url;
  const dist = here.lastIndexOf('/dist/');
  const url = dist < 0 ? new URL('../../dist/dashboard', here) : `${here.slice(0, dist)}/dist/dashboard`;
  return fileURLToPath(url);
}

const FILES = builtFiles();
/** As Vite names them. */
const ASSET = /^[\w-]+\.(js|css)$/;
/** The page asks no other host, and holds no script or style of its own. */
const POLICY = [
  "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:",
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join('; ');

/**
 * The dashboard. Its files are the same for every bot and hold nothing about this one, so they need no key.
 * What the page shows it asks of the routes of the API, with the key that was typed into it.
 */
@Controller('dashboard')
export class DashboardController {
  @Access('public')
  @Described({
    summary: 'A page that asks for a key and shows the state of the bot',
    type: 'text/html',
    errors: { 404: 'the page is not built' },
  })
  @Get()
  page(@Res() response: Response): void {
    if (!existsSync(`${FILES}/index.html`))
      throw new Refusal(404, 'the dashboard is not built: run "npm run build:dashboard"');
    response.setHeader('Content-Security-Policy', POLICY);
    response.sendFile('index.html', { root: FILES, headers: { 'Cache-Control': 'no-cache' } });
  }

  @Access('public')
  @Described({
    summary: 'The scripts and styles of the dashboard',
    type: 'text/javascript',
    errors: { 404: 'the page has no such file' },
  })
  @ApiParam({ name: 'file', type: String })
  @Get('assets/:file')
  asset(@Param('file') file: string, @Res() response: Response): void {
    if (!ASSET.test(file) || !existsSync(`${FILES}/assets/${file}`))
      throw new Refusal(404, 'the page has no such file');
    // The name has a hash of the content.
    response.sendFile(file, { root: `${FILES}/assets`, maxAge: '1y', immutable: true });
  }
}
