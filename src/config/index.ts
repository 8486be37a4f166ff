export { ChimeraConfigModule } from './config.module.js';
export { forgetSecrets, secretTexts } from './config-secrets.js';
export type { DeploymentEnvironment, EnvironmentConfig, Variables } from './environment.js';
export { parseDecimal } from './decimal.js';
export { JournalConfig } from './journal-section.js';
export { loadConfig, loadDeploymentConfig, type DeploymentLoadOptions } from './load-config.js';
export { parseConfig, type ParseOptions } from './parse-config.js';
export type { AaveV3Config, ProtocolConfig } from './protocol-sections.js';
export * from './sections.js';
