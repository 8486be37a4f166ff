/** The version of this program: `version` in package.json, with which a test compares it. */
export const VERSION = '0.1.0';
