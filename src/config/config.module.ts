import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { loadConfig } from './load-config.js';
import { ChimeraConfig } from './sections.js';

/**
 * Gives the validated configuration to every module: inject {@link ChimeraConfig}. Only this folder reads
 * process.env. It must never log or print a value.
 */
@Module({})
export class ChimeraConfigModule {
  /**
   * @param load is called once. main passes a configuration that it has loaded before, so that mistakes are
   *   printed before Nest starts.
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
