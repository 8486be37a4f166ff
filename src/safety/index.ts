export { SafetyController, type Actor, type Operator, type SafetyTransition } from './safety-controller.js';
export { SafetyModule } from './safety.module.js';
