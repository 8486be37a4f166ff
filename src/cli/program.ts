import { Injectable } from '@nestjs/common';
import { InjectCommander } from 'nest-commander';
import { Misuse, type Parsed } from './misuse.js';

/** The command line as a whole. */
@Injectable()
export class Program {
  constructor(@InjectCommander() readonly root: Parsed) {
    root
      .name('npx chimera')
      .usage('COMMAND [OPTIONS]')
      .addHelpText('after', '\nOptions of one: npx chimera COMMAND --help. To begin: docs/getting-started.md')
      // It would compare with the last word of each command alone.
      .showSuggestionAfterError(false)
      .exitOverride((error) => {
        throw Misuse.of(root, error);
      });
  }
}
