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
   * @param formerName what an earlier version called it: files of that name are taken over too.
   * @throws as {@link Journal.open}.
   */
  open<Payload>(
    name: string,
    parse: (value: unknown) => Payload,
    formerName?: string,
  ): Promise<Journal<Payload>> {
    const { config, secrets } = this;
    return Journal.open({ directory: config.journal.dir, name, parse, secrets, formerName });
  }
}
