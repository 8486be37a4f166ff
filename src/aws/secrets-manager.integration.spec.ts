import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AwsServer, type AwsFault } from '../../testing/nodes/aws.js';
import { Secret } from '../domain/secret.js';
import type { AwsAccess } from './aws-access.js';
import { fetchSecrets } from './secrets-manager.js';

const matching = (text: RegExp): unknown => expect.stringMatching(text);
const VALUE = 'a-value-that-no-message-shows';

describe('fetchSecrets', () => {
  let aws: AwsServer;

  beforeAll(async () => {
    aws = await AwsServer.start();
    aws.secrets.put('chimera/plain', `${VALUE}\n`);
    aws.secrets.put('chimera/json', JSON.stringify({ db: VALUE, redis: `2-${VALUE}`, port: 5432 }));
    aws.secrets.put('chimera/binary', Buffer.from(VALUE));
    aws.secrets.put('chimera/empty', '\n');
  });
  afterAll(() => aws.stop());
  afterEach(() => {
    aws.calls.length = 0;
    aws.faults.clear();
    aws.deniedSecrets.clear();
  });

  /** The value, or the problem, of each. */
  const fetched = async (
    references: Record<string, string>,
    access: AwsAccess = aws.access,
    deadlineMs?: number,
  ): Promise<Record<string, string>> => {
    const found = await fetchSecrets(new Map(Object.entries(references)), access, deadlineMs);
    return Object.fromEntries(
      [...found].map(([name, one]) => [name, 'value' in one ? one.value : one.problem]),
    );
  };

  it('reads texts and keys of JSON, and each secret once', async () => {
    const arn = aws.secrets.put('chimera/with-arn', JSON.stringify({ 'a#b': VALUE }));
    expect(
      await fetched({
        PLAIN: 'chimera/plain',
        DB: 'chimera/json#db',
        REDIS: 'chimera/json#redis',
        ARN: `${arn}#a#b`,
      }),
    ).toEqual({ PLAIN: VALUE, DB: VALUE, REDIS: `2-${VALUE}`, ARN: VALUE });
    expect(aws.callsOf('secretsmanager')).toHaveLength(3);
  });

  it('asks for all at once', async () => {
    aws.faults.set('secretsmanager', { kind: 'black-hole' });
    const all = fetched({ A: 'a', B: 'b', C: 'c' }, aws.access, 2_000);
    await expect.poll(() => aws.calls.length).toBe(3);
    expect(Object.values(await all)).toEqual(
      Array(3).fill('AWS did not answer within 2 s; an answer was expected'),
    );
  });

  it('says in one sentence what is wrong with a reference, and no value', async () => {
    aws.deniedSecrets.add('chimera/plain');
    const problems = await fetched({
      MISSING: 'chimera/missing',
      NO_KEY: 'chimera/json#DB',
      NO_TEXT: 'chimera/json#port',
      WHOLE_JSON: 'chimera/json',
      NO_JSON: 'chimera/with-arn#a',
      BINARY: 'chimera/binary',
      EMPTY: 'chimera/empty',
      NO_NAME: '#key',
      DENIED: 'chimera/plain',
    });
    expect(problems).toEqual({
      MISSING: matching(/^AWS has no such secret in this region; .* \(ResourceNotFoundException\)$/),
      NO_KEY: matching(/^the secret has no text under the key behind #; /),
      NO_TEXT: matching(/^the secret has no text under the key behind #; /),
      WHOLE_JSON: matching(/^the secret is an object of JSON; #key behind its name was expected/),
      NO_JSON: matching(/^the secret has no text under the key/),
      BINARY: 'the secret is binary; a text was expected',
      EMPTY: 'the secret is empty; a text was expected',
      NO_NAME: matching(/a secret was expected/),
      DENIED: matching(/the permission secretsmanager:GetSecretValue .* \(AccessDeniedException\)$/),
    });
    expect(Object.values(problems).join()).not.toContain(VALUE);
  });

  it.each<[string, AwsFault, RegExp]>([
    [
      'throttled',
      { kind: 'throttle' },
      /^AWS refuses to answer so many requests; .* \(ThrottlingException\)$/,
    ],
    [
      'in trouble itself',
      { kind: 'error', status: 500 },
      /^AWS could not be asked \(InternalServiceError\); /,
    ],
    ['cutting connections', { kind: 'reset' }, /^AWS could not be asked \(ECONNRESET\); /],
  ])('says that AWS is %s', async (_, fault, problem) => {
    aws.faults.set('secretsmanager', fault);
    expect(await fetched({ A: 'chimera/plain' })).toEqual({ A: matching(problem) });
    expect(aws.calls).toHaveLength(3);
  });

  it('waits for a slow AWS within its deadline', async () => {
    aws.faults.set('secretsmanager', { kind: 'slow', ms: 300 });
    expect(await fetched({ A: 'chimera/plain' })).toEqual({ A: VALUE });
  });

  it('says what is wrong with the credentials, without showing them', async () => {
    const { access } = aws;
    const key = new Secret('the-wrong-secret-key-of-aws');
    const wrong = { accessKeyId: aws.identity.accessKeyId, secretAccessKey: key, sessionToken: undefined };
    const [text = ''] = Object.values(
      await fetched({ A: 'chimera/plain' }, { ...access, credentials: wrong }),
    );
    expect(text).toMatch(/^AWS refuses the credentials \(InvalidSignatureException\); /);
    expect(text).not.toContain('the-wrong-secret-key-of-aws');
  });

  it('says that there is no connection, and that no region is set', async () => {
    const { access } = aws;
    const nowhere = { url: 'https://127.0.0.1:1', authority: access.server?.authority ?? '' };
    expect(await fetched({ A: 'a' }, { ...access, server: nowhere })).toEqual({
      A: 'AWS could not be asked (ECONNREFUSED); a connection to Secrets Manager was expected',
    });
    expect(await fetched({ A: 'a' }, { ...access, region: undefined })).toEqual({
      A: 'no region of AWS is set; AWS_REGION was expected, for example eu-central-1',
    });
  });
});
