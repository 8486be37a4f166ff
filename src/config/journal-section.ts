import { Path } from './key-types.js';

/** Where this process keeps what cannot be in the database yet. */
export class JournalConfig {
  /** Relative to the working directory, on a local disk that outlives the process. */
  @Path({ default: './data/journal', example: './data/journal' })
  readonly dir!: string;
}
