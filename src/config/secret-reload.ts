import { messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { SecretScrubber } from '../domain/secret-forms.js';
import type { ConfigSource, SecretsReread } from './config-source.js';
import { Environment } from './environment.js';
import { variableOf, type Source } from './environment-values.js';
import type { ChimeraConfig } from './sections.js';

interface Started {
  readonly source: ConfigSource;
  readonly config: ChimeraConfig;
  readonly events: Events;
}

/** Reads the secrets again whenever it is asked to, one time after the other. */
export class SecretReload {
  #started: Started | undefined;
  #isAsked = false;
  #isReading = false;

  /** @param scrubber learns each new secret before it is used */
  constructor(private readonly scrubber: SecretScrubber) {}

  /** The secrets were read for the first time. What was asked for before is done now. */
  start(source: ConfigSource, config: ChimeraConfig, events: Events): void {
    this.#started = { source, config, events };
    const origins = source.origins.filter(
      (origin) => origin.source !== 'variable' || Environment.isSecret(origin.name),
    );
    const from = (wanted: Source): string[] =>
      origins.filter((origin) => origin.source === wanted).map(({ name }) => name);
    const unused = origins.flatMap(({ name, unused }) => unused.map((one) => variableOf(name, one)));
    const [aws, files, variables] = [from('aws'), from('file'), from('variable')];
    events.emit({ event: 'secrets-read', aws, files, variables, unused });
    void this.#readWhileAsked();
  }

  /** SIGHUP. */
  ask(): void {
    this.#isAsked = true;
    void this.#readWhileAsked();
  }

  async #readWhileAsked(): Promise<void> {
    const started = this.#started;
    if (!started || this.#isReading) return;
    this.#isReading = true;
    while (this.#isAsked) {
      this.#isAsked = false;
      started.events.emit({ event: 'secrets-reread', ...(await this.#reread(started)) });
    }
    this.#isReading = false;
  }

  async #reread({ source, config }: Started): Promise<SecretsReread> {
    try {
      return await source.reread(config, (texts) => this.scrubber.learn(texts));
    } catch (error) {
      return { changed: [], needStart: [], problems: [this.scrubber.scrub(messageOf(error))] };
    }
  }
}
