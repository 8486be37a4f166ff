import { Choice, Flag, Integer, Name } from './key-types.js';
import { List, Section } from './keys.js';
import { DistinctNames } from './rules.js';

export class DimensionConfig {
  @Name({ example: 'bot' })
  readonly name!: string;

  @Name({ example: 'base-1' })
  readonly value!: string;
}

/** Where metrics go in AWS. The credentials are those that the AWS SDK finds by itself. */
export class CloudWatchConfig {
  @Name({ example: 'eu-central-1' })
  readonly region!: string;

  @Name({ default: 'Chimera', example: 'Chimera' })
  readonly namespace!: string;

  /** Added to every metric, so that two bots can share a namespace. */
  @DistinctNames()
  @List({
    choose: () => DimensionConfig,
    default: [],
    expected: 'a list of names and values',
    example: '[{ name: bot, value: base-1 }]',
  })
  readonly dimensions!: readonly DimensionConfig[];
}

export class MonitoringConfig {
  /** From one export to CloudWatch, and one line of counters in the log, to the next. */
  @Integer({ min: 1000, max: 86_400_000, default: '60000', example: 60000 })
  readonly exportIntervalMs!: number;

  /** Whether GET /metrics is served. */
  @Flag({ default: 'true' })
  readonly metrics!: boolean;

  /** Absent: nothing is sent to CloudWatch. */
  @Section(() => CloudWatchConfig, { optional: true })
  readonly cloudwatch?: CloudWatchConfig;

  /** Messages of a lower level are not logged. */
  @Choice({ of: ['debug', 'info', 'warn', 'error'], default: 'info', variable: 'LOG_LEVEL' })
  readonly logLevel!: 'debug' | 'info' | 'warn' | 'error';

  /** auto: readable lines on a terminal, otherwise one JSON object a line. */
  @Choice({ of: ['auto', 'json', 'pretty'], default: 'auto', variable: 'LOG_FORMAT' })
  readonly logFormat!: 'auto' | 'json' | 'pretty';
}
