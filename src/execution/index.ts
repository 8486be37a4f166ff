export { executionRow } from './execution-row.js';
export { ExecutionModule } from './execution.module.js';
export { ExecutionService, type Submission } from './execution.service.js';
export type { Settlement } from './ledger.js';
export { Signer } from './signer.js';
