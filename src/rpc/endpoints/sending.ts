const SENDING: ReadonlySet<string> = new Set(['eth_sendRawTransaction', 'eth_sendPrivateTransaction']);

/** Whether a call hands a transaction over. It is never sent again by itself: it may have arrived. */
export function isSending(method: string): boolean {
  return SENDING.has(method);
}
