import { keysOf, Section } from './keys.js';
import type { DatabaseSecrets } from './environment.js';
import { ApiConfig, ChimeraConfig, databaseOf, NetworkConfig, type DatabaseConfig } from './sections.js';

/** The sections of the file. */
function keysOfAll(): string[] {
  return [...keysOf(ChimeraConfig).values()].map(({ key }) => key);
}

/** What a command reads that works with the rows of the database. It asks no node, and signs nothing. */
export class RowsConfig {
  static readonly keysOfOthers = keysOfAll;

  @Section(() => NetworkConfig)
  readonly network!: NetworkConfig;

  @Section(databaseOf)
  readonly database!: DatabaseConfig;

  readonly environment!: DatabaseSecrets;
}

/** What a command reads that asks the running bot: a mistake elsewhere must not keep anyone from a halt. */
export class ApiAddressConfig {
  static readonly keysOfOthers = keysOfAll;

  @Section(() => ApiConfig)
  readonly api!: ApiConfig;
}
