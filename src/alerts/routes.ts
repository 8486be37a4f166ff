import type { ChannelConfig } from '../config/index.js';
import type { MessageTopic, Severity } from '../domain/alert.js';

/** What a channel is told. */
export interface Route {
  readonly name: string;
  readonly severities: readonly Severity[];
  readonly topics: readonly MessageTopic[];
}

const TOPICS: Readonly<Record<ChannelConfig['for'], readonly MessageTopic[]>> = {
  alerts: ['alert'],
  notifications: ['notification'],
  all: ['alert', 'notification'],
};

export function routeOf({ name, severities, for: what }: ChannelConfig): Route {
  return { name, severities, topics: TOPICS[what] };
}
