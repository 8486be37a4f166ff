import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { startVitest } from 'vitest/node';
import type { FaultTest } from './fault-table.js';

export interface FaultRun {
  readonly tests: readonly FaultTest[];
  /** Errors outside of tests, and files that could not be loaded. */
  readonly errors: readonly string[];
}

/**
 * Runs the tests whose name, or the name of a suite around them, begins with one of the numbers.
 *
 * @param onTest is told of each test as it ends
 */
export async function runTests(
  root: string,
  files: readonly string[],
  numbers: readonly string[],
  onTest: (test: FaultTest) => void,
): Promise<FaultRun> {
  const tests: FaultTest[] = [];
  const errors: string[] = [];
  const reporter: Reporter = {
    onTestCaseResult(test: TestCase): void {
      const { state, errors } = test.result();
      if (state === 'pending' || state === 'skipped') return;
      const ended: FaultTest = {
        names: namesOf(test),
        file: relative(root, test.module.moduleId),
        state,
        times: test.meta().fault,
        error: errors?.[0]?.message.split('\n')[0],
      };
      tests.push(ended);
      onTest(ended);
    },
    onTestRunEnd(modules: readonly TestModule[], unhandled): void {
      for (const { message } of unhandled) errors.push(message);
      for (const module of modules)
        for (const { message } of module.errors())
          errors.push(`${relative(root, module.moduleId)}: ${message}`);
    },
  };
  const vitest = await startVitest('test', [...files], {
    root,
    watch: false,
    reporters: [reporter],
    testNamePattern: new RegExp(`(^| )(${numbers.join('|')}) `),
  });
  await vitest.close();
  return { tests, errors };
}

function namesOf(test: TestCase): string[] {
  const names = [test.name];
  for (let suite = test.parent; suite.type === 'suite'; suite = suite.parent) names.unshift(suite.name);
  return names;
}
