import type { Execution } from '../database/index.js';
import { executionAnswer, type ExecutionAnswer } from './executions-answer.js';
import { explanation, type ExplanationAnswer } from './explanation.js';

/** GET /api/v1/executions/:id: the row with every input of the decision, amounts as decimal text. */
export interface ExecutionDetail extends ExecutionAnswer {
  /** The decision in words, a subject a line, as `npx chimera explain` tells it. */
  readonly explanation: readonly ExplanationAnswer[];
  readonly plan: unknown;
}

export function executionDetail(row: Execution): ExecutionDetail {
  const stored = { ...executionAnswer(row), plan: row.plan };
  return { ...stored, explanation: explanation(stored) };
}
