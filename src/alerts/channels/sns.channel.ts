import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { AwsAccess } from '../../aws/aws-access.js';
import { awsClientOptions } from '../../aws/aws-client-options.js';
import type { Message } from '../../domain/alert.js';
import { cut, headlineOf, plainTextOf } from '../message-text.js';
import { DeliveryError, unreachable, type Channel } from './channel.js';

/** SNS refuses more, and what is not ASCII, in a subject. */
const LONGEST_SUBJECT = 100;
/** Of 256 KiB; a character may be four bytes. */
const LONGEST_MESSAGE = 60_000;
/** One attempt: the queue of the channel tries again. */
const PATIENCE = { connectMs: 5_000, requestMs: 10_000, attempts: 1 };
/** The message is at fault. */
const FINAL = new Set(['InvalidParameter', 'InvalidParameterException', 'ParameterValueInvalid']);

export interface SnsOptions {
  readonly name: string;
  readonly topicArn: string;
  readonly access: AwsAccess;
  readonly source: string;
}

/** A topic of Amazon SNS, in the region that its ARN names. */
export class SnsChannel implements Channel {
  readonly kind = 'sns';
  readonly name: string;
  private readonly client: SNSClient;

  constructor(private readonly options: SnsOptions) {
    this.name = options.name;
    const { access, topicArn } = options;
    this.client = new SNSClient(awsClientOptions(access, PATIENCE, topicArn.split(':')[3]));
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    const { topicArn, source } = this.options;
    const text = (value: string): { DataType: string; StringValue: string } => ({
      DataType: 'String',
      StringValue: value,
    });
    const publish = new PublishCommand({
      TopicArn: topicArn,
      Subject: cut(ascii(headlineOf(message)), LONGEST_SUBJECT).replace('…', ' '),
      Message: cut(plainTextOf(message, source), LONGEST_MESSAGE),
      MessageAttributes: {
        severity: text(message.severity),
        status: text(message.status),
        topic: text(message.topic),
      },
      // Only a topic with an order of its own takes these.
      ...(topicArn.endsWith('.fifo') && { MessageGroupId: 'chimera', MessageDeduplicationId: message.id }),
    });
    try {
      await this.client.send(publish, { abortSignal: signal });
    } catch (error) {
      throw refusal(error, signal);
    }
  }
}

/** A subject begins with a letter, a digit or a mark, and has no line break. */
function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').trim();
}

/** The messages of AWS name accounts and keys: only the name of the error is shown. */
function refusal(error: unknown, signal: AbortSignal): DeliveryError {
  if (signal.aborted || !(error instanceof Error) || !('$metadata' in error))
    return unreachable(error, signal);
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
  if (httpStatusCode === undefined) return unreachable(error, signal);
  const name = /^[A-Za-z]{3,60}$/.test(error.name) ? error.name : 'an error';
  return new DeliveryError(`it answered ${httpStatusCode} (${name})`, { isFinal: FINAL.has(error.name) });
}
