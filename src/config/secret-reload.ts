import { messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { SecretScrubber } from '../domain/secret-forms.js';
import type { ConfigSource, SecretsReread } from './config-source.js';
import { Environment } from './environment.js';
import { variableOf, type Source } from './environment-values.js';
import type { ChimeraConfig } from './sections.js';

/** Reads the secrets again whenever it is asked to, one time after the other. */
export class SecretReload {
  #events: Events | undefined;
  #isAsked = false;
  #isReading = false;

  /** @param scrubber learns each new secret before it is used */
  constructor(
    private readonly source: ConfigSource,
    private readonly config: ChimeraConfig,
    private readonly scrubber: SecretScrubber,
  ) {}

  /** From now on there is somebody to tell. What was asked for before is done now. */
  start(events: Events): void {
    this.#events = events;
    const origins = this.source.origins.filter(
      ({ name, source }) => source !== 'variable' || Environment.isSecret(name),
    );
    const from = (source: Source): string[] =>
      origins.filter((origin) => origin.source === source).map(({ name }) => name);
    const unused = origins.flatMap(({ name, unused }) => unused.map((source) => variableOf(name, source)));
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
    const events = this.#events;
    if (!events || this.#isReading) return;
    this.#isReading = true;
    while (this.#isAsked) {
      this.#isAsked = false;
      events.emit({ event: 'secrets-reread', ...(await this.#reread()) });
    }
    this.#isReading = false;
  }

  async #reread(): Promise<SecretsReread> {
    try {
      return await this.source.reread(this.config, (texts) => this.scrubber.learn(texts));
    } catch (error) {
      return { changed: [], needStart: [], problems: [this.scrubber.scrub(messageOf(error))] };
    }
  }
}
