/** One run of the command: takes the command line and the environment, prints lines, returns an exit code. */
import { loadDeploymentConfig, type Variables } from '../../src/config/index.js';
import { ChimeraError, StartupError, messageOf } from '../../src/domain/errors.js';
import { deploy } from './deploy.js';
import { HELP, parseOptions } from './options.js';
import { jsonReport, textReport } from './report.js';

export interface RunEnvironment {
  /** Environment variables. Default: those of the process. */
  readonly variables?: Variables;
  /** Relative paths start here. Default: the working directory. */
  readonly directory?: string;
  /** A line of the result. */
  readonly print: (line: string) => void;
  /** A line about progress or problems. */
  readonly remark: (line: string) => void;
}

/** @returns 0, or 1 when there were problems. Never throws. */
export async function run(words: readonly string[], environment: RunEnvironment): Promise<number> {
  const { print, remark } = environment;
  if (words.includes('--help')) {
    print(HELP);
    return 0;
  }
  const json = words.includes('--json');
  try {
    const options = parseOptions(words);
    const config = await loadDeploymentConfig(
      { file: options.config, sends: options.send },
      environment.variables,
      environment.directory,
    );
    const deployment = await deploy(config, options, (step) => remark(`  … ${step}`));
    if (json) print(JSON.stringify(jsonReport(deployment, Date.now()), null, 2));
    else for (const line of textReport(deployment)) print(line);
    return 0;
  } catch (error) {
    const problems = problemsOf(error);
    if (json) print(JSON.stringify({ status: 'problems', problems }, null, 2));
    else {
      remark(`The deployment stopped: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}.`);
      for (const problem of problems) remark(`  - ${problem}`);
    }
    return 1;
  }
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof StartupError) return error.problems;
  if (error instanceof ChimeraError)
    return [`rpc: ${error.message}; run the same command again: it goes on from what it finds`];
  return [messageOf(error)];
}
