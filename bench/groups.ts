/** What the benchmarks of several groups share: the choice of one, and an end in any case. */
import { messageOf } from '../src/domain/errors.js';

/** Measurements that belong together. */
export interface Group<Options, Result> {
  readonly about: string;
  readonly run: (options: Options) => Result[] | Promise<Result[]>;
}

type Groups<Options, Result> = Readonly<Record<string, Group<Options, Result>>>;

/** After this long something hangs. */
const DEADLINE_MS = 1_800_000;

/** Lines of the help, one for each group. */
export function helpOf(groups: Groups<never, unknown>): string {
  return Object.entries(groups)
    .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
    .join('\n');
}

/**
 * Runs the groups in their order.
 *
 * @param only one of them.
 * @throws Error when there is none of that name.
 */
export async function runGroups<Options, Result>(
  groups: Groups<Options, Result>,
  only: string | undefined,
  options: Options,
): Promise<Result[]> {
  if (only !== undefined && !Object.hasOwn(groups, only))
    throw new Error(
      `--only: there is no group "${only}"; one of ${Object.keys(groups).join(', ')} was expected`,
    );
  const results: Result[] = [];
  for (const [name, { run }] of Object.entries(groups))
    if (only === undefined || only === name) results.push(...(await run(options)));
  return results;
}

/** Runs a benchmark and ends the process. Chains, databases and their directories end with it. */
export async function runToTheEnd(name: string, bench: () => Promise<void>): Promise<never> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  setTimeout(() => {
    console.error(`${name}: not done after ${DEADLINE_MS / 60_000} minutes`);
    process.exit(1);
  }, DEADLINE_MS).unref();
  try {
    await bench();
    process.exit(0);
  } catch (error) {
    console.error(`${name}: ${messageOf(error)}`);
    process.exit(1);
  }
}
