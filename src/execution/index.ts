export { executionRow } from './execution-row.js';
export { ExecutionModule } from './execution.module.js';
export { ExecutionService, type Submission } from './execution.service.js';
export type { Reopening, Settlement } from './in-flight.js';
export { Signer } from './signer.js';
