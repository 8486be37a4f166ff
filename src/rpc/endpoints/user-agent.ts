import { VERSION } from '../../domain/version.js';

/** Some gateways refuse requests without a User-Agent, or those of a bare library. */
export const USER_AGENT = `chimera/${VERSION}`;
