import { Section } from './keys.js';
import type { DatabaseSecrets } from './environment.js';
import { ApiConfig, databaseOf, NetworkConfig, type DatabaseConfig } from './sections.js';

/** What a command reads that works with the rows of the database. It asks no node, and signs nothing. */
export class RowsConfig {
  /** Mistakes in other sections do not concern it. */
  static readonly acceptsAnyKey = true;

  @Section(() => NetworkConfig)
  readonly network!: NetworkConfig;

  @Section(databaseOf)
  readonly database!: DatabaseConfig;

  readonly environment!: DatabaseSecrets;
}

/** What a command reads that asks the running bot: a mistake elsewhere must not keep anyone from a halt. */
export class ApiAddressConfig {
  static readonly acceptsAnyKey = true;

  @Section(() => ApiConfig)
  readonly api!: ApiConfig;
}
