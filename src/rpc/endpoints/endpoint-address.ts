import { isIP } from 'node:net';

import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { Secret } from '../../domain/secret.js';
import { formsOf } from '../../domain/secret-forms.js';

/**
 * Shorter parts of a URL ("v2", "rpc") are not secret, and masking them would make the messages of nodes
 * unreadable.
 */
const SHORTEST_SECRET_PART = 4;
const LONGEST_MESSAGE = 200;
const ANY_URL = /\b(?:https?|wss?):\/\/[^\s"'<>)\]}]+/gi;

/**
 * The address of an endpoint, kept from view. Only the transport uses the URL, because it usually holds an
 * API key in its path, its query or its user name. {@link EndpointAddress.scrub} removes every part of it
 * from a text of the node.
 */
export class EndpointAddress {
  #text = '';
  #url!: URL;
  /** Also those of earlier URLs: a node may still answer to one. */
  #secrets: readonly string[] = [];

  /**
   * @throws TypeError that names the role when the text is not a URL with one of `protocols` ("http:",
   * "wss:").
   */
  constructor(
    private readonly role: EndpointRole,
    private readonly secret: Secret,
    private readonly protocols: readonly string[],
    /** Other secrets that are sent with each request. */
    private readonly sent: readonly Secret[] = [],
  ) {
    this.#read();
  }

  get secure(): boolean {
    const { protocol } = this.reveal();
    return protocol === 'https:' || protocol === 'wss:';
  }

  /** For the transport only. The same object until the secret has another value. */
  reveal(): URL {
    this.#read();
    return this.#url;
  }

  #read(): void {
    const text = this.secret.reveal();
    if (text === this.#text) return;
    // Checked first, because the error of `new URL` holds the text.
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !this.protocols.includes(url.protocol)) {
      const expected = this.protocols.map((protocol) => `${protocol}//`).join(' or ');
      throw new TypeError(
        `the URL of the ${this.role} RPC endpoint is not valid: it must begin with ${expected}`,
      );
    }
    url.hash = ''; // a WebSocket refuses a URL with one
    this.#text = text;
    this.#url = url;
    this.#secrets = [...new Set([...this.#secrets, ...secretParts(url)])].sort((a, b) => b.length - a.length);
  }

  /** The text on one line, at most 200 characters, without any URL and without any part of this one. */
  scrub(text: string): string {
    // eslint-disable-next-line no-control-regex -- the text goes into logs: no control characters
    let clean = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').replace(ANY_URL, '***');
    this.#read();
    const sent = this.sent.flatMap((secret) => [...formsOf(secret.reveal())]);
    for (const part of [...sent, ...this.#secrets])
      if (part !== '') clean = replaceAllIgnoringCase(clean, part);
    return clean.length > LONGEST_MESSAGE ? `${clean.slice(0, LONGEST_MESSAGE)}…` : clean;
  }
}

function secretParts(url: URL): string[] {
  const parts = new Set<string>([url.href, url.host, url.hostname, url.pathname, url.search.slice(1)]);
  const pieces = [url.username, url.password, ...url.pathname.split('/'), ...url.searchParams.values()];
  if (isIP(url.hostname) === 0) pieces.push(...domainsAbove(url.hostname));
  // The transport sends user and password as one text in base64, and nodes repeat what they were sent.
  pieces.push(`${safeDecode(url.username)}:${safeDecode(url.password)}`, url.href);
  for (const piece of pieces) {
    parts.add(piece);
    for (const form of formsOf(safeDecode(piece))) parts.add(form);
  }
  return [...parts].filter((part) => part.length >= SHORTEST_SECRET_PART);
}

/** "api.provider.io" for "eth.api.provider.io", and "provider.io". */
function domainsAbove(hostname: string): string[] {
  const labels = hostname.split('.');
  return labels.slice(1, -1).map((_, index) => labels.slice(index + 1).join('.'));
}

/** A text that is not encoded correctly (a single %) is returned as it is. */
export function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function replaceAllIgnoringCase(text: string, part: string): string {
  const escaped = part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(escaped, 'gi'), '***');
}
