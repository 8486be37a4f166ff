import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest. They begin first, so that at the end no worker is alone with one of them. A
 * clean checkout knows no durations, and the size of a file says little: the shortest one is the soak.
 */
const LONGEST = [
  'test/e2e/hostile/hostile-world.spec.ts',
  'test/e2e/soak.spec.ts',
  'test/e2e/sequencer.spec.ts',
  'test/e2e/database-trouble.spec.ts',
  'test/e2e/commands.spec.ts',
  'test/e2e/secrets.spec.ts',
  'test/e2e/telegram.spec.ts',
  'test/e2e/scenario.spec.ts',
  'test/e2e/demo.spec.ts',
  'test/e2e/interest.spec.ts',
  'test/e2e/once.spec.ts',
  'test/e2e/start-up.spec.ts',
  'test/e2e/frozen.spec.ts',
  'test/e2e/state.spec.ts',
  'test/e2e/rotation.spec.ts',
  'test/e2e/hostile/foreign-world.spec.ts',
  'test/e2e/two-processes.spec.ts',
  'test/e2e/dashboard.spec.ts',
  'src/execution/crash.integration.spec.ts',
  'src/execution/budget-crash.integration.spec.ts',
  'test/differential/aave-v3-old.integration.spec.ts',
  'src/execution/lease.integration.spec.ts',
  'test/differential/compound-v2.integration.spec.ts',
  'src/execution/doors/private-door.integration.spec.ts',
  'src/safety/safety-journal.integration.spec.ts',
  'test/property/aave-v3.integration.spec.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((file) => moduleId.endsWith(`/${file}`));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
