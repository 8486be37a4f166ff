export { executionRow, planReady, type RowOwner } from './execution-row.js';
export { ExecutionModule } from './execution.module.js';
export { ExecutionService } from './execution.service.js';
export type { LeaseStatus } from './lease.js';
export type { Prospect } from './pursuit.js';
export { Signer } from './signer.js';
export type { Submission } from './submission.js';
export type { OutcomeStatus } from './outcome-book.js';
