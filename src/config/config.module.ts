import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { SecretScrubber } from '../domain/secret-forms.js';
import { secretTexts } from './config-secrets.js';
import { ChimeraConfig } from './sections.js';

/**
 * Gives the validated configuration to every module: inject {@link ChimeraConfig}, and {@link SecretScrubber}
 * for what leaves the process. Only this folder reads process.env. It must never log or print a value.
 */
@Module({})
export class ChimeraConfigModule {
  /**
   * @param load is called once. main passes a configuration that it has loaded before, so that mistakes are
   *   printed before Nest starts.
   * @param scrubber knows its secrets, and those that replace them later
   */
  static forRoot(load: () => ChimeraConfig, scrubber?: SecretScrubber): DynamicModule {
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
        {
          provide: SecretScrubber,
          inject: [ChimeraConfig],
          useFactory: (config: ChimeraConfig) => scrubber ?? new SecretScrubber(secretTexts(config)),
        },
      ],
      exports: [ChimeraConfig, SecretScrubber],
    };
  }
}
