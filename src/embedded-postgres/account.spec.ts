import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { barrierTo } from './account.js';

describe('barrierTo', () => {
  const stranger = { uid: 54_321, gid: 54_321 };
  let closed: string;

  beforeEach(() => {
    closed = realpathSync(mkdtempSync(join(tmpdir(), 'chimera-closed-')));
    mkdirSync(join(closed, 'below', 'data'), { recursive: true });
  });

  afterEach(() => rmSync(closed, { recursive: true, force: true }));

  it('names the outermost directory that another account may not enter', () => {
    chmodSync(join(closed, 'below'), 0o700);
    expect(barrierTo(join(closed, 'below', 'data'), stranger)).toBe(closed);
  });

  it('is undefined where the account may enter every directory', () => {
    chmodSync(closed, 0o711);
    expect(barrierTo(join(closed, 'below', 'data'), stranger)).toBeUndefined();
  });
});
