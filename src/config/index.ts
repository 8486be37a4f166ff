export {
  AlertsConfig,
  type ChannelConfig,
  type ChannelKind,
  type QuietHoursConfig,
} from './alerts-section.js';
export type { ApiAddressConfig, RowsConfig } from './command-sections.js';
export type { ChannelSecrets } from './channel-secrets.js';
export { ChimeraConfigModule } from './config.module.js';
export { forgetSecrets, secretTexts } from './config-secrets.js';
export type { DeploymentEnvironment, EnvironmentConfig } from './environment.js';
export type { Variables } from './environment-values.js';
export {
  ConfigSource,
  type ConfigSourceOptions,
  type SecretsReread,
  type ShownValue,
  type ValueOrigin,
} from './config-source.js';
export { KEY_WORDS } from './key-words.js';
export { configurationReference, listedKeys } from './reference.js';
export { configSchema, schemaKeys } from './json-schema.js';
export { readVariable } from './load-variable.js';
export { SHIPPED, shippedPath } from './shipped.js';
export { SecretReload } from './secret-reload.js';
export { parseDecimal } from './decimal.js';
export { JournalConfig } from './journal-section.js';
export {
  loadApiAddress,
  loadConfig,
  loadDeploymentConfig,
  loadRowsConfig,
  type DeploymentLoadOptions,
} from './load-config.js';
export { parseConfig, type ParseOptions } from './parse-config.js';
export { MonitoringConfig, type CloudWatchConfig } from './monitoring-section.js';
export type {
  AaveV3Config,
  CompoundV2Config,
  MorphoBlueConfig,
  ProtocolConfig,
} from './protocol-sections.js';
export * from './rpc-section.js';
export * from './sections.js';
