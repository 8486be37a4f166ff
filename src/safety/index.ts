export { SafetyController, StateConflict, type Actor, type Operator } from './safety-controller.js';
export { FailurePolicy } from './failure-policy.js';
export { SafetyModule } from './safety.module.js';
