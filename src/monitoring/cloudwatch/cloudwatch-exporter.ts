import type { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { awsClientOptions } from '../../aws/aws-client-options.js';
import { ChimeraConfig } from '../../config/index.js';
import { Clock } from '../../domain/clock.js';
import { Events } from '../../domain/events/events.js';
import { MetricBook } from '../metrics/metric-book.js';
import { Metrics } from '../metrics/metrics.js';
import { CloudWatchData, type Batch } from './cloudwatch-data.js';

/** For one attempt; the SDK itself tries again, after growing pauses. */
const PATIENCE = { connectMs: 2_000, requestMs: 5_000, attempts: 3 } as const;
/** For everything that one export sends. */
const EXPORT_MS = 15_000;
/** For the last export, while the bot stops. */
const LAST_EXPORT_MS = 2_000;

interface Connection {
  readonly client: CloudWatchClient;
  readonly put: typeof PutMetricDataCommand;
  readonly namespace: string;
  readonly data: CloudWatchData;
}

/**
 * Sends the metrics to CloudWatch every `monitoring.exportIntervalMs`, and once more when the bot stops. What
 * did not arrive is sent with the next export. A failure is one event until an export arrives again.
 */
@Injectable()
export class CloudWatchExporter implements OnApplicationBootstrap, OnApplicationShutdown {
  private connection: Connection | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private failing = false;
  private readonly stopping = new AbortController();

  constructor(
    private readonly metrics: Metrics,
    private readonly book: MetricBook,
    private readonly events: Events,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { cloudwatch, exportIntervalMs } = this.config.monitoring;
    if (!cloudwatch) return;
    const { CloudWatchClient, PutMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
    this.connection = {
      client: new CloudWatchClient(
        awsClientOptions(this.config.environment.aws, PATIENCE, cloudwatch.region),
      ),
      put: PutMetricDataCommand,
      namespace: cloudwatch.namespace,
      data: new CloudWatchData(cloudwatch.dimensions),
    };
    this.timer = setInterval(() => void this.export(), exportIntervalMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    const { connection } = this;
    if (!connection) return;
    this.stopping.abort();
    await this.running;
    await this.send(connection, AbortSignal.timeout(LAST_EXPORT_MS));
    connection.client.destroy();
  }

  /** An export that is still under way is not doubled. Never throws. */
  async export(): Promise<void> {
    const { connection } = this;
    if (!connection || this.running || this.stopping.signal.aborted) return;
    const deadline = AbortSignal.any([AbortSignal.timeout(EXPORT_MS), this.stopping.signal]);
    this.running = this.send(connection, deadline).finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async send(connection: Connection, deadline: AbortSignal): Promise<void> {
    try {
      const points = await this.metrics.points();
      for (const batch of connection.data.batches(points, new Date(this.clock.wallMs())))
        await put(connection, batch, deadline);
      this.succeeded();
    } catch (error) {
      this.failed(error, deadline.aborted);
    }
  }

  private succeeded(): void {
    this.book.count('chimera_exports_total', { result: 'ok' });
    if (this.failing) this.events.emit({ event: 'metrics-export-back' });
    this.failing = false;
  }

  private failed(error: unknown, late: boolean): void {
    this.book.count('chimera_exports_total', { result: 'failed' });
    if (!this.failing)
      this.events.emit({ event: 'metrics-export-failed', message: late ? LATE : inWords(error) });
    this.failing = true;
  }
}

const LATE = 'CloudWatch did not answer in time';

async function put(
  { client, put: Put, namespace }: Connection,
  batch: Batch,
  deadline: AbortSignal,
): Promise<void> {
  await client.send(new Put({ Namespace: namespace, MetricData: batch.data }), { abortSignal: deadline });
  batch.arrived();
}

/** The name of the error and the status alone: the message of a refused signature may hold a token. */
function inWords(error: unknown): string {
  const name = error instanceof Error ? error.name : 'unknown error';
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  return `CloudWatch: ${name}${status === undefined ? '' : ` (HTTP ${status})`}`;
}
