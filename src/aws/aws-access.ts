import type { Secret } from '../domain/secret.js';

/** The keys of the environment. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Belongs to keys that a role gave for some hours. */
  readonly sessionToken: Secret | undefined;
}

/** What a client of AWS needs to know beside its own settings. */
export interface AwsAccess {
  /** undefined: the SDK looks for a profile, a container's role, an instance's role. */
  readonly credentials: AwsCredentials | undefined;
  /** undefined: AWS_REGION, or the region of the profile. */
  readonly region: string | undefined;
  /** Instead of AWS itself: an address, and the authority (PEM) that is trusted there. */
  readonly server?: { readonly url: string; readonly authority: string };
}
