import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { Journal } from './journal.js';

/** Opens the journals of this process, all in the directory of the configuration. */
@Injectable()
export class Journals {
  constructor(
    private readonly config: ChimeraConfig,
    private readonly secrets: SecretScrubber,
  ) {}

  /**
   * @param parse reads what JSON gives back. It throws for anything else than a payload.
   * @throws as {@link Journal.open}.
   */
  open<Payload>(name: string, parse: (value: unknown) => Payload): Promise<Journal<Payload>> {
    return Journal.open({ directory: this.config.journal.dir, name, parse, secrets: this.secrets });
  }
}
