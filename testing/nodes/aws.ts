import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { AwsAccess } from '../../src/aws/aws-access.js';
import { Secret } from '../../src/domain/secret.js';
import { makeCertificates } from '../certificates.js';
import { ACCOUNT, AwsRefusal, Metrics, SecretStore, Topics } from './aws-services.js';
import { signatureProblem, type AwsIdentity, type SignedRequest } from './aws-signature.js';

export type AwsService = 'sns' | 'monitoring' | 'secretsmanager';

/** What goes wrong with every request to a service. */
export type AwsFault =
  /** An error of the service itself. */
  | { readonly kind: 'error'; readonly status: number }
  /** Rate exceeded. */
  | { readonly kind: 'throttle' }
  /** The request is read and never answered. */
  | { readonly kind: 'black-hole' }
  /** The answer is correct, but late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The connection is cut after the request was carried out. */
  | { readonly kind: 'reset' }
  /** The key has no permission. */
  | { readonly kind: 'denied' };

export interface AwsCall {
  readonly service: AwsService;
  readonly action: string;
  /** The body, unpacked. */
  readonly body: string;
  /** The code of the refusal; undefined when the call was carried out. */
  readonly refused: string | undefined;
}

const TARGETS: Readonly<Record<string, AwsService>> = {
  GraniteServiceVersion20100801: 'monitoring',
  secretsmanager: 'secretsmanager',
};

const ACTIONS: Readonly<Record<AwsService, string>> = {
  sns: 'Publish',
  monitoring: 'PutMetricData',
  secretsmanager: 'GetSecretValue',
};

/** The namespace that the errors of a JSON service carry. */
const ERROR_NAMESPACE = { monitoring: 'com.amazonaws.cloudwatch.v2010_08_01#', secretsmanager: '' };

/**
 * SNS, CloudWatch and Secrets Manager over HTTPS on 127.0.0.1, as the clients of the AWS SDK speak to them:
 * SNS by query and XML, the others by JSON, CloudWatch also packed. It computes each signature itself, and
 * refuses what AWS refuses, in the same shapes.
 */
export class AwsServer {
  readonly topics: Topics;
  readonly metrics = new Metrics();
  readonly secrets: SecretStore;
  /** Every call that arrived, in order. */
  readonly calls: AwsCall[] = [];
  readonly faults = new Map<AwsService, AwsFault>();
  /** Names of secrets that the key may not read. */
  readonly deniedSecrets = new Set<string>();
  /** How far the clock of the server is ahead. */
  clockAheadMs = 0;
  identity: AwsIdentity = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  };
  #server!: Server;
  readonly #directory = mkdtempSync(join(tmpdir(), 'aws-'));

  private constructor(readonly region: string) {
    this.topics = new Topics(region);
    this.secrets = new SecretStore(region);
  }

  static async start(region = 'eu-central-1'): Promise<AwsServer> {
    const aws = new AwsServer(region);
    const { certificate, key } = makeCertificates(aws.#directory, 'aws');
    aws.#server = createServer({ cert: certificate, key }, (request, response) => {
      void aws.#serve(request, response);
    });
    await new Promise<void>((resolve) => aws.#server.listen(0, '127.0.0.1', resolve));
    return aws;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The file of the authority that signed the certificate. */
  get authorityFile(): string {
    return join(this.#directory, 'aws.ca.crt');
  }

  /** The variables that lead the SDK of another process to this server. */
  get variables(): Record<string, string> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.identity;
    return {
      AWS_ENDPOINT_URL_SNS: this.url,
      AWS_ENDPOINT_URL_CLOUDWATCH: this.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: this.url,
      AWS_REGION: this.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
      NODE_EXTRA_CA_CERTS: this.authorityFile,
    };
  }

  /** What leads a client of this process to this server. */
  get access(): AwsAccess {
    const { accessKeyId, secretAccessKey, sessionToken } = this.identity;
    return {
      credentials: {
        accessKeyId,
        secretAccessKey: new Secret(secretAccessKey),
        sessionToken: sessionToken === undefined ? undefined : new Secret(sessionToken),
      },
      region: this.region,
      server: { url: this.url, authority: readFileSync(this.authorityFile, 'utf8') },
    };
  }

  callsOf(service: AwsService): AwsCall[] {
    return this.calls.filter((call) => call.service === service);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.#directory, { recursive: true });
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const request: SignedRequest = {
      method: message.method ?? '',
      url: message.url ?? '',
      headers: message.headers,
      body: Buffer.concat(chunks),
    };
    const [target, action = ''] = String(message.headers['x-amz-target'] ?? '').split('.');
    const service = TARGETS[target ?? ''] ?? 'sns';
    const fault = this.faults.get(service);
    const unpacked = message.headers['content-encoding'] === 'gzip' ? gunzipSync(request.body) : request.body;
    const body = unpacked.toString('utf8');
    const name = service === 'sns' ? (new URLSearchParams(body).get('Action') ?? '') : action;
    const note = (refused?: string): number => this.calls.push({ service, action: name, body, refused });
    if (fault?.kind === 'black-hole') {
      note('black-hole');
      return;
    }
    response.setHeader('Date', new Date(this.#now).toUTCString());
    const answer = this.#answer(service, name, request, body);
    note(answer instanceof AwsRefusal ? answer[service === 'sns' ? 'query' : 'json'] : undefined);
    if (fault?.kind === 'reset') response.socket?.destroy();
    else if (fault?.kind === 'slow') setTimeout(() => reply(response, service, name, answer), fault.ms);
    else reply(response, service, name, answer);
  }

  get #now(): number {
    return Date.now() + this.clockAheadMs;
  }

  #answer(service: AwsService, action: string, request: SignedRequest, body: string): string | AwsRefusal {
    const fault = this.faults.get(service);
    if (fault?.kind === 'error')
      return new AwsRefusal(
        'InternalServiceError',
        'InternalFailure',
        'An error occurred on the server side.',
        fault.status,
      );
    if (fault?.kind === 'throttle')
      return new AwsRefusal('ThrottlingException', 'Throttling', 'Rate exceeded');
    const wrong = signatureProblem(request, {
      identity: this.identity,
      region: this.region,
      service,
      nowMs: this.#now,
    });
    if (wrong) return new AwsRefusal(wrong.json, wrong.query, wrong.message, service === 'sns' ? 403 : 400);
    const user = `User: arn:aws:iam::${ACCOUNT}:user/chimera`;
    if (fault?.kind === 'denied')
      return new AwsRefusal(
        'AccessDeniedException',
        'AuthorizationError',
        `${user} is not authorized to perform: ${ACTIONS[service]}`,
        service === 'sns' ? 403 : 400,
      );
    if (request.method !== 'POST' || action !== ACTIONS[service])
      return new AwsRefusal(
        'UnknownOperationException',
        'InvalidAction',
        `Could not find operation ${action}`,
      );
    try {
      if (service === 'sns') return this.topics.publish(new URLSearchParams(body));
      if (service === 'monitoring') return this.metrics.put(body, this.#now);
      return this.secrets.get(body, (secret) => this.deniedSecrets.has(secret));
    } catch (error) {
      if (error instanceof AwsRefusal) return error;
      throw error;
    }
  }
}

function reply(
  response: ServerResponse,
  service: AwsService,
  action: string,
  answer: string | AwsRefusal,
): void {
  const id = randomUUID();
  const refusal = answer instanceof AwsRefusal ? answer : undefined;
  const side = (refusal?.status ?? 0) < 500 ? 'Sender' : 'Receiver';
  if (service === 'sns') {
    const xmlns = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"';
    const xml = refusal
      ? `<ErrorResponse ${xmlns}><Error><Type>${side}</Type><Code>${refusal.query}</Code><Message>${escaped(refusal.message)}</Message></Error><RequestId>${id}</RequestId></ErrorResponse>`
      : `<${action}Response ${xmlns}>${String(answer)}<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></${action}Response>`;
    response
      .writeHead(refusal?.status ?? 200, { 'content-type': 'text/xml', 'x-amzn-requestid': id })
      .end(xml);
    return;
  }
  const body = refusal
    ? JSON.stringify({ __type: ERROR_NAMESPACE[service] + refusal.json, message: refusal.message })
    : String(answer);
  response
    .writeHead(refusal?.status ?? 200, {
      'content-type': `application/x-amz-json-${service === 'monitoring' ? '1.0' : '1.1'}`,
      'x-amzn-requestid': id,
      // The SDK asks CloudWatch for the codes of its older protocol.
      ...(service === 'monitoring' && refusal && { 'x-amzn-query-error': `${refusal.query};${side}` }),
    })
    .end(body);
}

function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
