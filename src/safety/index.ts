export { SafetyController, StateConflict, type Operator } from './safety-controller.js';
export { FailurePolicy } from './failure-policy.js';
export { TierReview, type TierStatus } from './tier-review.js';
export { SafetyModule } from './safety.module.js';
