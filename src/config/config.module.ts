import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { loadConfig } from './load-config.js';
import { ChimeraConfig } from './sections.js';

/**
 * Gives every module the validated configuration: inject {@link ChimeraConfig}. This folder is the only reader of
 * process.env; it must never log or print a value.
 */
@Module({})
export class ChimeraConfigModule {
  /**
   * @param load called once. main passes a configuration that it has already loaded, so that its mistakes are printed
   *   before Nest starts.
   */
  static forRoot(load: () => ChimeraConfig = loadConfig): DynamicModule {
    const chimera = registerAs('chimera', () => load());
    return {
      module: ChimeraConfigModule,
      global: true,
      imports: [
        ConfigModule.forRoot({
          load: [chimera],
          ignoreEnvFile: true,
          ignoreEnvVars: true,
          skipProcessEnv: true,
        }),
      ],
      providers: [
        { provide: ChimeraConfig, inject: [chimera.KEY], useFactory: (config: ChimeraConfig) => config },
      ],
      exports: [ChimeraConfig],
    };
  }
}
