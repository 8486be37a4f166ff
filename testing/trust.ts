import tls from 'node:tls';

/**
 * Makes every client of this process trust a further authority, whatever library opens the connection, as
 * NODE_EXTRA_CA_CERTS does for a whole process.
 *
 * @returns what ends it.
 */
export function trust(...authorities: readonly string[]): () => void {
  const createSecureContext = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const made = createSecureContext(options);
    const { addCACert } = made.context as { addCACert: (pem: string) => void };
    for (const authority of authorities) addCACert.call(made.context, authority);
    return made;
  };
  return () => {
    tls.createSecureContext = createSecureContext;
  };
}
