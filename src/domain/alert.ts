/** The most urgent first. */
export const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;

/**
 * - CRITICAL: money is at risk, or nothing works. An operator has to get up.
 * - HIGH: it gets worse, or it earns nothing. An operator has to look within the hour.
 * - MEDIUM: look today.
 * - LOW: for reading.
 */
export type Severity = (typeof SEVERITIES)[number];

/** Something that an operator has to know, while it lasts. */
export interface Alert {
  /** The same trouble has the same key: it is told once. */
  readonly key: string;
  /** The rule that found it, which is also the name of its section in the runbook. */
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  /** One sentence, with the numbers. */
  readonly text: string;
}

/** Whether a message reports trouble, or the business of the day. They can go to different chats. */
export type MessageTopic = 'alert' | 'notification';

/**
 * - firing: it began, or it lasts and is not acknowledged.
 * - resolved: it is over.
 * - report: there is nothing to be over.
 */
export type MessageStatus = 'firing' | 'resolved' | 'report';

/** What a channel delivers. */
export interface Message {
  /** Of this message: the same when it is sent again, so that a receiver can drop the second one. */
  readonly id: string;
  readonly topic: MessageTopic;
  readonly status: MessageStatus;
  readonly severity: Severity;
  /** The key of the alert. Its messages share it. */
  readonly key: string;
  readonly title: string;
  readonly text: string;
  /** Further lines of a report. */
  readonly details?: readonly string[];
  /** The section of the runbook. Undefined where there is none. */
  readonly runbook?: string | undefined;
  /** Milliseconds since the epoch: when it was raised. */
  readonly atMs: number;
}

/** 0 is the most urgent. */
export function rankOf(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
