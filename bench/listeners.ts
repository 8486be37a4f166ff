/** Everything that a bot with everything on speaks to, on 127.0.0.1. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BotSettings } from '../devnet/stack/bot-config.js';
import { AwsServer } from '../testing/nodes/aws.js';

/** Six times as often as by default: a turn of the benchmark is short. */
const EXPORT_MS = 10_000;

export class Listeners {
  private webhookCalls = 0;
  private readonly topicArn: string;

  private constructor(
    private readonly aws: AwsServer,
    private readonly webhook: Server,
  ) {
    this.topicArn = aws.topics.create('chimera');
  }

  static async start(): Promise<Listeners> {
    const aws = await AwsServer.start();
    const webhook = createServer((request, response) => {
      request.resume().once('end', () => {
        listeners.webhookCalls += 1;
        response.statusCode = 204;
        response.end();
      });
    });
    const listeners = new Listeners(aws, webhook);
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    return listeners;
  }

  /** Metrics, CloudWatch, and alerts by two channels: all switched on. */
  get on(): BotSettings {
    const { port } = this.webhook.address() as AddressInfo;
    return {
      monitoring: `metrics: true, exportIntervalMs: ${EXPORT_MS}, cloudwatch: { region: ${this.aws.region} }`,
      sections: [
        'alerts:',
        '  channels:',
        '    - { name: hook, kind: webhook }',
        `    - { name: topic, kind: sns, topicArn: "${this.topicArn}" }`,
        '',
      ].join('\n'),
      variables: {
        ...this.aws.variables,
        ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/alerts`,
        ALERT_WEBHOOK_SECRET: randomBytes(16).toString('hex'),
      },
    };
  }

  /** What arrived: a benchmark of senders that send nothing would prove nothing. */
  get summary(): string {
    const metrics = this.aws.callsOf('monitoring').length;
    const topics = this.aws.callsOf('sns').length;
    return `${metrics} calls of CloudWatch, ${topics} of SNS, ${this.webhookCalls} of the webhook`;
  }

  async stop(): Promise<void> {
    await this.aws.stop();
    await new Promise<void>((resolve) => this.webhook.close(() => resolve()));
  }
}
