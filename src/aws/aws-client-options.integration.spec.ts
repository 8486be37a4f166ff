import { CloudWatchClient, PutMetricDataCommand, type MetricDatum } from '@aws-sdk/client-cloudwatch';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PublishCommand, SNSClient, type PublishCommandInput } from '@aws-sdk/client-sns';
import { request } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../domain/secret.js';
import { AwsServer, type AwsService } from '../../testing/nodes/aws.js';
import { awsClientOptions, type AwsPatience } from './aws-client-options.js';

const PATIENCE: AwsPatience = { connectMs: 10_000, requestMs: 30_000, attempts: 1 };
const HOUR_MS = 3_600_000;

describe('clients of the AWS SDK', () => {
  let aws: AwsServer;
  let topic: string;
  const rightIdentity = (): AwsServer['identity'] => ({
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  });

  beforeAll(async () => {
    aws = await AwsServer.start();
    topic = aws.topics.create('alerts');
    aws.secrets.put('chimera/db', 'the-password');
  });
  afterAll(() => aws.stop());
  afterEach(() => {
    aws.faults.clear();
    aws.clockAheadMs = 0;
    aws.identity = rightIdentity();
    aws.deniedSecrets.clear();
  });

  const publish = (input: Partial<PublishCommandInput> = {}, patience = PATIENCE): Promise<unknown> =>
    new SNSClient(awsClientOptions(aws.access, patience)).send(
      new PublishCommand({ TopicArn: topic, Message: 'HALTED: why?', ...input }),
    );
  const put = (data: MetricDatum[], patience = PATIENCE): Promise<unknown> =>
    new CloudWatchClient(awsClientOptions(aws.access, patience)).send(
      new PutMetricDataCommand({ Namespace: 'Chimera', MetricData: data }),
    );
  const secret = async (id: string, patience = PATIENCE): Promise<string | undefined> =>
    (
      await new SecretsManagerClient(awsClientOptions(aws.access, patience)).send(
        new GetSecretValueCommand({ SecretId: id }),
      )
    ).SecretString;
  const one = { MetricName: 'won', Value: 1, Unit: 'Count' } as const;
  const each: Record<AwsService, (patience?: AwsPatience) => Promise<unknown>> = {
    sns: (patience) => publish({}, patience),
    monitoring: (patience) => put([one], patience),
    secretsmanager: (patience) => secret('chimera/db', patience),
  };
  const services = Object.keys(each) as AwsService[];

  it('publish a message with its subject and attributes', async () => {
    const Message = `line 1\nline 2 + & = ~ * ! ' ( ) é €`;
    const severity = { DataType: 'String', StringValue: 'CRITICAL' };
    await publish({ Message, Subject: 'Chimera: HALTED', MessageAttributes: { severity } });
    expect(aws.topics.published.at(-1)).toEqual({
      topicArn: topic,
      subject: 'Chimera: HALTED',
      message: Message,
      attributes: new Map([['severity', 'CRITICAL']]),
    });
  });

  it('put metrics, packed when they are many', async () => {
    const Dimensions = [{ Name: 'chain', Value: '8453' }];
    const data = Array.from({ length: 1000 }, (_, n) => ({ ...one, MetricName: `metric_${n}`, Dimensions }));
    await put([{ ...one, Timestamp: new Date() }]);
    await put(data);
    expect(aws.metrics.puts.at(-1)).toEqual({ namespace: 'Chimera', data });
    expect(aws.metrics.puts.at(-2)?.data).toMatchObject([one]);
  });

  it('read a secret by its name, its ARN, and its ARN without the last six characters', async () => {
    const arn = aws.secrets.put('chimera/db', 'the-password');
    for (const id of ['chimera/db', arn, arn.slice(0, -7)]) expect(await secret(id)).toBe('the-password');
  });

  it('take keys of a role with their session token', async () => {
    aws.identity = { ...rightIdentity(), sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLE==' };
    for (const service of services) await each[service]();
    const { credentials } = aws.access;
    aws.identity = { ...rightIdentity(), sessionToken: 'another' };
    const old = { ...aws.access, credentials };
    await expect(
      new SNSClient(awsClientOptions(old, PATIENCE)).send(
        new PublishCommand({ TopicArn: topic, Message: 'x' }),
      ),
    ).rejects.toThrow('security token included in the request is expired');
  });

  it('are refused with a wrong key, and with one that AWS does not know', async () => {
    const { accessKeyId } = aws.identity;
    const credentials = { accessKeyId, secretAccessKey: new Secret('not-the-key'), sessionToken: undefined };
    const wrong = { ...aws.access, credentials };
    const unknown = { ...wrong, credentials: { ...wrong.credentials, accessKeyId: 'AKIAUNKNOWN' } };
    const names = async (from: typeof wrong): Promise<unknown[]> => [
      await named(
        new SNSClient(awsClientOptions(from, PATIENCE)).send(
          new PublishCommand({ TopicArn: topic, Message: 'x' }),
        ),
      ),
      await named(
        new CloudWatchClient(awsClientOptions(from, PATIENCE)).send(
          new PutMetricDataCommand({ Namespace: 'Chimera', MetricData: [one] }),
        ),
      ),
      await named(
        new SecretsManagerClient(awsClientOptions(from, PATIENCE)).send(
          new GetSecretValueCommand({ SecretId: 'chimera/db' }),
        ),
      ),
    ];
    expect(await names(wrong)).toEqual([
      'SignatureDoesNotMatch',
      'SignatureDoesNotMatch', // CloudWatch is asked for the codes of its older protocol
      'InvalidSignatureException',
    ]);
    expect(await names(unknown)).toEqual([
      'InvalidClientTokenId',
      'InvalidClientTokenId',
      'UnrecognizedClientException',
    ]);
  });

  it('with a wrong clock learn the right one from the refusal', async () => {
    aws.clockAheadMs = HOUR_MS;
    for (const service of services) {
      aws.calls.length = 0;
      await each[service]({ ...PATIENCE, attempts: 2 });
      expect(aws.callsOf(service).map(({ refused }) => refused)).toEqual([
        service === 'sns' ? 'SignatureDoesNotMatch' : 'InvalidSignatureException',
        undefined,
      ]);
    }
  });

  it('with the region of the file sign for it', async () => {
    const client = new SNSClient(awsClientOptions(aws.access, PATIENCE, 'us-east-1'));
    const error = await named(client.send(new PublishCommand({ TopicArn: topic, Message: 'x' })));
    expect(error).toBe('SignatureDoesNotMatch');
  });

  it('try again after throttling and after an error of the service, so often and no more', async () => {
    for (const service of services)
      for (const fault of [{ kind: 'throttle' }, { kind: 'error', status: 500 }] as const) {
        aws.calls.length = 0;
        aws.faults.set(service, fault);
        await expect(each[service]({ ...PATIENCE, attempts: 2 })).rejects.toThrow(
          fault.kind === 'throttle' ? 'Rate exceeded' : 'An error occurred on the server side.',
        );
        expect(aws.callsOf(service)).toHaveLength(2);
      }
  });

  it('give up when no answer comes within the deadline', async () => {
    for (const service of services) {
      aws.faults.set(service, { kind: 'black-hole' });
      expect(await named(each[service]({ ...PATIENCE, requestMs: 300 }))).toBe('TimeoutError');
    }
  });

  it('do not trust a server whose authority they do not know', async () => {
    const { server, ...rest } = aws.access;
    if (!server) throw new Error('no server');
    const client = new SNSClient({ ...awsClientOptions(rest, PATIENCE), endpoint: server.url });
    await expect(client.send(new PublishCommand({ TopicArn: topic, Message: 'x' }))).rejects.toThrow(
      'unable to verify the first certificate',
    );
  });

  it('are told what is wrong with what they send', async () => {
    expect(await named(publish({ Message: '' }))).toBe('InvalidParameterException');
    expect(await named(publish({ Subject: 'x'.repeat(101) }))).toBe('InvalidParameterException');
    expect(await named(publish({ Subject: 'two\nlines' }))).toBe('InvalidParameterException');
    expect(await named(publish({ Message: 'x'.repeat(262_145) }))).toBe('InvalidParameterException');
    expect(await named(publish({ TopicArn: `${topic}-gone` }))).toBe('NotFoundException');
    expect(await named(put([{ MetricName: 'x', Value: NaN }]))).toBe('InvalidParameterValueException');
    expect(await named(put([{ ...one, Unit: 'Apples' as 'Count' }]))).toBe('InvalidParameterValueException');
    expect(await named(put([{ ...one, Dimensions: [{ Name: 'a', Value: '' }] }]))).toBe(
      'InvalidParameterValueException',
    );
    expect(await named(put(Array<MetricDatum>(1001).fill(one)))).toBe('InvalidParameterValueException');
    expect(await named(put([{ ...one, Timestamp: new Date(0) }]))).toBe('InvalidParameterValueException');
    expect(await named(secret('unknown'))).toBe('ResourceNotFoundException');
    aws.deniedSecrets.add('chimera/db');
    expect(await named(secret('chimera/db'))).toBe('AccessDeniedException');
    aws.faults.set('sns', { kind: 'denied' });
    expect(await named(publish())).toBe('AuthorizationErrorException');
  });

  it('are refused when a header was added, the body was changed, or nothing is signed', async () => {
    const client = new SNSClient(awsClientOptions(aws.access, PATIENCE));
    const command = new PublishCommand({ TopicArn: topic, Message: 'as signed' });
    let signed: { headers: Record<string, string>; body: string } | undefined;
    client.middlewareStack.add(
      (next) => (args) => {
        signed = args.request as typeof signed;
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'kept' },
    );
    await client.send(command);
    if (!signed) throw new Error('nothing was signed');
    const { headers, body } = signed;
    const sent = (changed: Record<string, string>, text = body): Promise<string> => raw(aws, changed, text);
    expect(await sent(headers)).toContain('<MessageId>');
    expect(await sent(headers, body.replace('as%20signed', 'as%20forged'))).toContain(
      'SignatureDoesNotMatch',
    );
    expect(await sent({ ...headers, 'x-amz-meta': 'x' })).toContain(
      'headers present in the request which were not signed',
    );
    expect(await sent({ ...headers, 'amz-sdk-invocation-id': 'other' })).toContain('SignatureDoesNotMatch');
    expect(await sent({ ...headers, authorization: 'AWS4-HMAC-SHA256 x' })).toContain('IncompleteSignature');
    const { authorization: _, ...unsigned } = headers;
    expect(await sent(unsigned)).toContain('MissingAuthenticationToken');
    aws.clockAheadMs = HOUR_MS;
    expect(await sent(headers)).toContain('Signature expired');
    aws.clockAheadMs = -HOUR_MS;
    expect(await sent(headers)).toContain('Signature not yet current');
  });
});

/** The name of the error with which a call ends. */
async function named(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => new Error('no error'),
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.name : String(error);
}

/** Sends a request as it is, without the SDK. */
function raw(aws: AwsServer, headers: Record<string, string>, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { 'content-length': _, ...rest } = headers;
    const call = request(
      aws.url,
      {
        method: 'POST',
        headers: { ...rest, 'content-length': headers['content-length'] },
        ca: aws.access.server?.authority,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString()));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}
