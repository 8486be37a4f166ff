import { describe, expect, it } from 'vitest';
import { SecretScrubber } from './secret-forms.js';

const SECRET = 'p@ss w/rd+%&"42';
const scrubber = new SecretScrubber([SECRET, 'a1']);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('A23 a secret is found in every way of writing it', () => {
  it.each<[string, string]>([
    ['as it is', SECRET],
    ['in a URL', `http://u:${encodeURIComponent(SECRET)}@host`],
    ['in a form', new URLSearchParams({ password: SECRET }).toString()],
    ['in JSON', JSON.stringify({ password: SECRET })],
    ['in JSON within JSON', JSON.stringify({ body: encodeURIComponent(SECRET) })],
    [
      'in a URL with lower-case digits',
      encodeURIComponent(SECRET).replace(/%../g, (byte) => byte.toLowerCase()),
    ],
    ...['', 'u:', 'us:', 'user:', 'a-longer-user:'].map((user): [string, string] => [
      `in a Basic header behind "${user}"`,
      `Basic ${base64(user + SECRET)}`,
    ]),
    ['in base64 with something behind it', base64(`x${SECRET}@host.example.com`)],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
  ])('%s', (_, text) => {
    const clean = scrubber.scrub(`before ${text} after`);
    expect(clean).toMatch(/^before .*\*\*\*.* after$/);
    const core = base64(SECRET).slice(4, -8);
    for (const part of [SECRET, encodeURIComponent(SECRET), core]) expect(clean).not.toContain(part);
  });

  it('other text stays as it is, and a secret too short to be told apart is not looked for', () => {
    for (const text of ['nothing to see', 'a1b2', base64('something else entirely'), ''])
      expect(scrubber.scrub(text)).toBe(text);
    expect(new SecretScrubber([]).scrub('text')).toBe('text');
  });

  it('nothing of a random secret survives in base64, wherever it stands', () => {
    for (let length = 8; length < 40; length++)
      for (let before = 0; before < 6; before++)
        for (const behind of ['', 'y', 'yz']) {
          const secret = Array.from({ length }, (_, index) =>
            String.fromCharCode(33 + ((index * 37 + length) % 90)),
          ).join('');
          const text = base64('x'.repeat(before) + secret + behind);
          const left = new SecretScrubber([secret]).scrub(text).split('***');
          expect(left, `${secret} after ${before}`).toHaveLength(2);
          // What is left holds the neighbours, and at most one character that is shared with them.
          expect(left[0]!.length).toBeLessThanOrEqual(Math.ceil((before * 8) / 6));
          expect(left[1]!.replace(/=+$/, '').length).toBeLessThanOrEqual(
            behind === '' ? 0 : Math.ceil((behind.length * 8) / 6) + 1,
          );
        }
  });
});
