import { randomBytes, randomUUID } from 'node:crypto';

/** A refusal, with the code that each protocol has for it. */
export class AwsRefusal extends Error {
  constructor(
    readonly json: string,
    readonly query: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export const ACCOUNT = '123456789012';

/** What a topic was given. */
export interface Published {
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly message: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** One datum of PutMetricData, as it was sent. */
export interface Datum {
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  /** Seconds since 1970. */
  readonly Timestamp?: number;
  readonly Value?: number;
  readonly Values?: readonly number[];
  readonly Counts?: readonly number[];
  readonly StatisticValues?: Readonly<Record<'SampleCount' | 'Sum' | 'Minimum' | 'Maximum', number>>;
  readonly Unit?: string;
  readonly StorageResolution?: number;
}

export interface MetricPut {
  readonly namespace: string;
  readonly data: readonly Datum[];
}

/** SNS takes at most 256 KiB, with the attributes. */
const LARGEST_MESSAGE = 262_144;
const LONGEST_SUBJECT = 100;

/** The topics of one account and region. */
export class Topics {
  readonly published: Published[] = [];
  readonly #arns = new Set<string>();

  constructor(private readonly region: string) {}

  /** @returns its ARN */
  create(name: string): string {
    const arn = `arn:aws:sns:${this.region}:${ACCOUNT}:${name}`;
    this.#arns.add(arn);
    return arn;
  }

  publish(form: URLSearchParams): string {
    const topicArn = form.get('TopicArn') ?? '';
    const message = form.get('Message') ?? '';
    const subject = form.get('Subject') ?? undefined;
    const refuse = (what: string): never => {
      throw new AwsRefusal('InvalidParameter', 'InvalidParameter', `Invalid parameter: ${what}`);
    };
    if (!/^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/.test(topicArn))
      refuse('TopicArn Reason: An ARN must have at least 6 elements, not 1');
    if (topicArn.split(':')[3] !== this.region) refuse('TopicArn');
    if (message === '') refuse('Empty message');
    if (
      subject !== undefined &&
      (subject === '' || subject.length > LONGEST_SUBJECT || /\p{Cc}/u.test(subject))
    )
      refuse('Subject');
    const attributes = attributesOf(form);
    for (const [name, value] of attributes) if (!name || !value) refuse('Message attribute');
    const size = [message, ...[...attributes].flat()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (size > LARGEST_MESSAGE) refuse('Message too long');
    if (form.get('MessageStructure') === 'json' && !('default' in objectOf(message)))
      refuse('Message Structure - No default entry in JSON message body');
    if (!this.#arns.has(topicArn)) throw new AwsRefusal('NotFound', 'NotFound', 'Topic does not exist', 404);
    this.published.push({ topicArn, subject, message, attributes });
    return `<PublishResult><MessageId>${randomUUID()}</MessageId></PublishResult>`;
  }
}

const MOST_DATA = 1000;
/** The limit is on the body after it was unpacked. */
const LARGEST_PUT = 1_048_576;
const MOST_DIMENSIONS = 30;
const MOST_VALUES = 150;
const TWO_WEEKS_S = 14 * 86_400;
const TWO_HOURS_S = 2 * 3600;
const LARGEST_VALUE = 2 ** 360;
const UNITS = new Set(
  'Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second Bits/Second Kilobits/Second Megabits/Second Gigabits/Second Terabits/Second Count/Second None'.split(
    ' ',
  ),
);

/** What was put into CloudWatch. */
export class Metrics {
  readonly puts: MetricPut[] = [];

  put(body: string, nowMs: number): string {
    if (body.length > LARGEST_PUT)
      throw new AwsRefusal(
        'RequestEntityTooLargeException',
        'RequestEntityTooLarge',
        'Request size exceeded',
        413,
      );
    const input = objectOf(body) as { Namespace?: unknown; MetricData?: unknown };
    const namespace = input.Namespace;
    if (typeof namespace !== 'string' || !/^[\w.\-/#: ]{1,255}$/.test(namespace))
      throw invalid('The parameter Namespace must match the pattern [^:].*');
    if (namespace.startsWith('AWS/')) throw invalid('The value AWS/ for parameter Namespace is invalid.');
    const data = input.MetricData;
    if (!Array.isArray(data) || data.length === 0)
      throw new AwsRefusal(
        'MissingRequiredParameterException',
        'MissingParameter',
        'The parameter MetricData is required.',
      );
    if (data.length > MOST_DATA)
      throw invalid(`The collection MetricData must not have a size greater than ${MOST_DATA}.`);
    data.forEach((datum: Datum, index) => checkDatum(datum, `MetricData.member.${index + 1}`, nowMs / 1000));
    this.puts.push({ namespace, data: data as Datum[] });
    return '{}';
  }
}

function checkDatum(datum: Datum, at: string, nowS: number): void {
  const { MetricName, Dimensions = [], Timestamp, Value, Values, Counts, StatisticValues } = datum;
  if (typeof MetricName !== 'string' || !ascii(MetricName, 255))
    throw invalid(`The parameter ${at}.MetricName is not valid.`);
  if (Dimensions.length > MOST_DIMENSIONS)
    throw invalid(`The collection ${at}.Dimensions must not have a size greater than ${MOST_DIMENSIONS}.`);
  for (const { Name, Value: value } of Dimensions) {
    if (!ascii(Name, 255) || Name.startsWith(':'))
      throw invalid(`The parameter ${at}.Dimensions.Name is not valid.`);
    if (!ascii(value, 1024))
      throw invalid(`The value for parameter ${at}.Dimensions.Value must not be empty.`);
  }
  if (new Set(Dimensions.map(({ Name }) => Name)).size < Dimensions.length)
    throw invalid(`No Metric may specify the same dimension name more than once.`);
  if (Timestamp !== undefined && !(Timestamp >= nowS - TWO_WEEKS_S && Timestamp <= nowS + TWO_HOURS_S))
    throw invalid(
      `The parameter ${at}.Timestamp must specify a time within the past two weeks and two hours.`,
    );
  if ([Value, Values, StatisticValues].filter((given) => given !== undefined).length !== 1)
    throw new AwsRefusal(
      'InvalidParameterCombinationException',
      'InvalidParameterCombination',
      `The parameters ${at}.Value, ${at}.Values and ${at}.StatisticValues are mutually exclusive and you have specified none or more than one.`,
    );
  if (
    Values &&
    (Values.length === 0 || Values.length > MOST_VALUES || (Counts && Counts.length !== Values.length))
  )
    throw invalid(
      `The parameters ${at}.Values and ${at}.Counts must have the same size, at most ${MOST_VALUES}.`,
    );
  for (const number of [
    Value ?? 0,
    ...(Values ?? []),
    ...(Counts ?? []),
    ...Object.values(StatisticValues ?? {}),
  ])
    if (typeof number !== 'number' || !(Math.abs(number) <= LARGEST_VALUE))
      throw invalid(`The value for parameter ${at}.Value is invalid.`);
  if (datum.Unit !== undefined && !UNITS.has(datum.Unit))
    throw invalid(`The parameter ${at}.Unit must be a value in the set [ ${[...UNITS].join(', ')} ]`);
  if (![undefined, 1, 60].includes(datum.StorageResolution))
    throw invalid(`The parameter ${at}.StorageResolution is not valid.`);
}

interface StoredSecret {
  readonly arn: string;
  readonly name: string;
  readonly versionId: string;
  readonly value: string | Buffer;
}

/** The secrets of one account and region. */
export class SecretStore {
  readonly #secrets = new Map<string, StoredSecret>();
  /** Names of secrets that are marked for deletion. */
  readonly deletionScheduled = new Set<string>();

  constructor(private readonly region: string) {}

  /**
   * Makes a secret, or gives it a new current value.
   *
   * @param value bytes make a binary secret
   * @returns its ARN
   */
  put(name: string, value: string | Buffer): string {
    const suffix = randomBytes(8)
      .toString('base64')
      .replace(/[^A-Za-z0-9]/g, 'x')
      .slice(0, 6);
    const arn =
      this.#secrets.get(name)?.arn ??
      `arn:aws:secretsmanager:${this.region}:${ACCOUNT}:secret:${name}-${suffix}`;
    this.#secrets.set(name, { arn, name, versionId: randomUUID(), value });
    return arn;
  }

  delete(name: string): void {
    this.#secrets.delete(name);
  }

  /** @param isDenied whether the key may not read a name */
  get(body: string, isDenied: (name: string) => boolean): string {
    const { SecretId: id, VersionStage: stage = 'AWSCURRENT' } = objectOf(body) as Record<string, unknown>;
    if (typeof id !== 'string' || id === '' || id.length > 2048)
      throw new AwsRefusal(
        'ValidationException',
        'ValidationError',
        `Value at 'secretId' failed to satisfy constraint`,
      );
    // A whole ARN, one without the six characters that AWS adds, or a name.
    const secret = [...this.#secrets.values()].find(({ arn, name }) =>
      [arn, arn.slice(0, -7), name].includes(id),
    );
    if (isDenied(secret?.name ?? id))
      throw new AwsRefusal(
        'AccessDeniedException',
        'AccessDenied',
        `User: arn:aws:iam::${ACCOUNT}:user/chimera is not authorized to perform: secretsmanager:GetSecretValue on resource: ${id} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
      );
    const missing = (what: string): AwsRefusal =>
      new AwsRefusal(
        'ResourceNotFoundException',
        'ResourceNotFound',
        `Secrets Manager can't find the specified ${what}`,
      );
    if (!secret) throw missing('secret.');
    if (this.deletionScheduled.has(secret.name))
      throw new AwsRefusal(
        'InvalidRequestException',
        'InvalidRequest',
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    if (stage !== 'AWSCURRENT') throw missing(`secret value for staging label: ${String(stage)}`);
    return JSON.stringify({
      ARN: secret.arn,
      CreatedDate: 1_795_910_000.123,
      Name: secret.name,
      ...(typeof secret.value === 'string'
        ? { SecretString: secret.value }
        : { SecretBinary: secret.value.toString('base64') }),
      VersionId: secret.versionId,
      VersionStages: ['AWSCURRENT'],
    });
  }
}

function attributesOf(form: URLSearchParams): Map<string, string> {
  const attributes = new Map<string, string>();
  for (let n = 1; form.has(`MessageAttributes.entry.${n}.Name`); n++) {
    const entry = `MessageAttributes.entry.${n}`;
    const value = form.get(`${entry}.Value.DataType`) ? form.get(`${entry}.Value.StringValue`) : '';
    attributes.set(form.get(`${entry}.Name`) ?? '', value ?? '');
  }
  return attributes;
}

function objectOf(json: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== 'object' || parsed === null)
    throw new AwsRefusal(
      'SerializationException',
      'MalformedInput',
      'The request body is not an object of JSON',
    );
  return parsed;
}

function invalid(message: string): AwsRefusal {
  return new AwsRefusal('InvalidParameterValueException', 'InvalidParameterValue', message);
}

function ascii(text: string, longest: number): boolean {
  return text.trim() !== '' && text.length <= longest && /^[\x20-\x7e]+$/.test(text);
}
