/** A real browser for tests, benches and pictures: it comes with the packages, nothing is downloaded. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';

/** Where the browser is unpacked, once. Its libraries read TMPDIR while they are loaded. */
const UNPACKED = fileURLToPath(new URL('../../.cache/chromium', import.meta.url));
/** Without a sandbox: tests often run as root in a container, where there is none. It sees 127.0.0.1 only. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--no-zygote', '--disable-dev-shm-usage'];

export async function openBrowser(): Promise<Browser> {
  mkdirSync(UNPACKED, { recursive: true });
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = UNPACKED;
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    return await chromium.launch({ executablePath: await packed.executablePath(), args: ARGUMENTS });
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}
