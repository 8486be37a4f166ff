/** The version of this program: `version` in package.json, with which a test compares it. */
const VERSION = '0.1.0';

/** Some gateways refuse requests without a User-Agent, or those of a bare library. */
export const USER_AGENT = `chimera/${VERSION}`;
