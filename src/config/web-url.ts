const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether the bot may post to this address: encrypted, or to this machine. Plain HTTP to another one would
 * show the message and its secrets to everybody on the way. User and password in it are refused, because
 * `fetch` does not send them.
 */
export function isSafeWebUrl(text: string): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
}
