export { Steering } from './steering.js';
export { seenIn, StateConflict, type Operator } from './operator.js';
export { SafetyController } from './safety-controller.js';
export { FailurePolicy } from './failure-policy.js';
export { TierReview, type TierStatus } from './tier-review.js';
export { SafetyModule } from './safety.module.js';
