import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Who may sign, and with what. A session token belongs to keys that a role gave for some hours. */
export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request as it came over the wire, with the bytes of its body. */
export interface SignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface SignatureRules {
  readonly identity: AwsIdentity;
  readonly region: string;
  /** As the scope of a signature names it: `sns`, `monitoring`, `secretsmanager`. */
  readonly service: string;
  readonly nowMs: number;
}

/** Why AWS refuses a signature, with the code of the JSON protocols and that of the query protocol. */
export interface SignatureProblem {
  readonly json: string;
  readonly query: string;
  readonly message: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** AWS takes a request for 5 minutes before and after the time in it. */
const SKEW_MS = 5 * 60_000;
const WRONG =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/**
 * Checks a signature of version 4 from the bytes of the request, without the code that made it.
 *
 * @returns undefined when it is right
 */
export function signatureProblem(
  request: SignedRequest,
  { identity, region, service, nowMs }: SignatureRules,
): SignatureProblem | undefined {
  const authorization = request.headers.authorization;
  if (authorization === undefined)
    return problem('MissingAuthenticationToken', 'Request is missing Authentication Token');
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!parts)
    return problem(
      'IncompleteSignature',
      'Authorization header requires Credential, SignedHeaders, Signature.',
    );
  const [, key = '', day = '', scopeRegion = '', scopeService = '', names = '', signature = ''] = parts;
  const signed = names.split(';');
  const time = header(request, 'x-amz-date') ?? '';
  const timeMs = timeOf(time);
  if (timeMs === undefined || !signed.includes('x-amz-date'))
    return problem(
      'IncompleteSignature',
      "Authorization header requires existence of either a 'X-Amz-Date'.",
    );
  if (key !== identity.accessKeyId)
    return problem('UnrecognizedClient', 'The security token included in the request is invalid.');
  if (header(request, 'x-amz-security-token') !== identity.sessionToken)
    return identity.sessionToken === undefined
      ? problem('UnrecognizedClient', 'The security token included in the request is invalid.')
      : problem('ExpiredToken', 'The security token included in the request is expired');
  if (!signed.includes('host'))
    return wrong("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization header.");
  const unsigned = Object.keys(request.headers).find(
    (name) => name.startsWith('x-amz') && !signed.includes(name),
  );
  if (unsigned !== undefined) return wrong(`There were headers present in the request which were not signed`);
  if (day !== time.slice(0, 8))
    return wrong(`Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP`);
  if (scopeRegion !== region) return wrong(`Credential should be scoped to a valid region. `);
  if (scopeService !== service)
    return wrong(`Credential should be scoped to correct service: '${service}'. `);
  if (timeMs < nowMs - SKEW_MS)
    return wrong(
      `Signature expired: ${time} is now earlier than ${stamp(nowMs - SKEW_MS)} (${stamp(nowMs)} - 5 min.)`,
    );
  if (timeMs > nowMs + SKEW_MS)
    return wrong(
      `Signature not yet current: ${time} is still later than ${stamp(nowMs + SKEW_MS)} (${stamp(nowMs)} + 5 min.)`,
    );

  const bodyHash = sha256(request.body);
  if ((header(request, 'x-amz-content-sha256') ?? bodyHash) !== bodyHash) return wrong(WRONG);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = [ALGORITHM, time, scope, sha256(canonical(request, signed, bodyHash))].join('\n');
  const signingKey = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (last, part) => hmac(last, part),
    Buffer.from(`AWS4${identity.secretAccessKey}`),
  );
  return timingSafeEqual(hmac(signingKey, toSign), Buffer.from(signature, 'hex')) ? undefined : wrong(WRONG);
}

/** The six lines that a signature covers. */
function canonical(request: SignedRequest, signed: readonly string[], bodyHash: string): string {
  const url = new URL(request.url, 'https://localhost');
  const path = url.pathname.split('/').map(encoded).join('/');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
  const headers = signed.map(
    (name) => `${name}:${(header(request, name) ?? '').trim().replace(/\s+/g, ' ')}\n`,
  );
  return [request.method, path, query, headers.join(''), signed.join(';'), bodyHash].join('\n');
}

/** As RFC 3986 says: everything but letters, digits and `-_.~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function header({ headers }: SignedRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** @param time as 20261129T010750Z */
function timeOf(time: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function wrong(message: string): SignatureProblem {
  return { json: 'InvalidSignatureException', query: 'SignatureDoesNotMatch', message };
}

function problem(name: string, message: string): SignatureProblem {
  const query = name === 'UnrecognizedClient' ? 'InvalidClientTokenId' : name;
  return { json: `${name}Exception`, query, message };
}
