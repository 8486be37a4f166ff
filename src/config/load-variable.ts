import { StartupError } from '../domain/errors.js';
import { withDotEnv } from './config-file.js';
import { EnvironmentValues, type Variables } from './environment-values.js';

/**
 * One value from the variable NAME, or from the file that NAME_FILE names; undefined when neither is set.
 *
 * @throws StartupError when the file cannot be read
 */
export function readVariable(
  name: string,
  variables: Variables = process.env,
  directory: string = process.cwd(),
): string | undefined {
  const values = new EnvironmentValues(withDotEnv(variables, directory));
  const value = values.value(name);
  const problems = values.problems();
  if (problems.length > 0) throw new StartupError(problems);
  return value?.trim();
}
