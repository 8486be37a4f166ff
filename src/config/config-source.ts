import { StartupError } from '../domain/errors.js';
import { readConfigFile, withDotEnv } from './config-file.js';
import { secretTexts } from './config-secrets.js';
import { EnvironmentValues, variableOf, type Source, type Variables } from './environment-values.js';
import { fetchedValues, type FetchSecrets } from './fetched-values.js';
import { configOf, effectiveValues, type ConfigText } from './parse-config.js';
import { MASK } from './redaction.js';
import { takeSecrets } from './secret-rotation.js';
import type { ChimeraConfig } from './sections.js';

/** Where one value came from. It never holds the value. */
export interface ValueOrigin {
  readonly name: string;
  readonly source: Source;
  /** Sources that are set too, and not used. */
  readonly unused: readonly Source[];
}

/** What became of the secrets that were read again, by name. */
export interface SecretsReread {
  /** They are used from now on. */
  readonly changed: readonly string[];
  /** They have another value, which only a start can take. The old one stays. */
  readonly needStart: readonly string[];
  /** One sentence for each that could not be read, or is wrong. Its old value stays. */
  readonly problems: readonly string[];
}

export interface ConfigSourceOptions {
  readonly variables?: Variables;
  readonly directory?: string;
  readonly fetch?: FetchSecrets;
  /** The file, which wins over CHIMERA_CONFIG. */
  readonly file?: string | undefined;
  /** They win over all other variables. An empty value takes one away. */
  readonly fixed?: Variables;
}

/** A value that is used, and what it comes from. */
export interface ShownValue {
  readonly key: string;
  /** *** for a secret. */
  readonly value: string;
  /** The file, the variables, or `default`. */
  readonly source: string;
}

/**
 * Where the bot's configuration comes from: one file, the variables, and the files and AWS secrets that they
 * name. It reads all of them at the start, and the files and AWS secrets again when it is asked to. The
 * variables of a process cannot change while it runs.
 */
export class ConfigSource {
  /** The values that are in use, by name. */
  readonly #values = new Map<string, string>();
  readonly #origins: ValueOrigin[] = [];

  private constructor(
    private readonly file: ConfigText,
    private readonly variables: Variables,
    private readonly fetch: FetchSecrets | undefined,
  ) {}

  /**
   * Reads the file that CHIMERA_CONFIG names (default config/base.yaml). A `.env` file in the working
   * directory adds variables that the process does not have, and overrides none.
   *
   * @throws StartupError with all mistakes at once, one sentence each.
   */
  static async load({
    variables = process.env,
    directory = process.cwd(),
    fetch,
    file,
    fixed = {},
  }: ConfigSourceOptions = {}): Promise<{ config: ChimeraConfig; source: ConfigSource }> {
    const all = { ...withDotEnv(variables, directory), ...fixed };
    const source = new ConfigSource(readConfigFile(file, all, directory, 'FILE'), { ...all }, fetch);
    const values = await source.#read();
    const config = configOf(source.file, values);
    for (const [name, { value, source: from, unused }] of values.readings) {
      if (value === undefined) continue;
      source.#values.set(name, value);
      source.#origins.push({ name, source: from, unused });
    }
    return { config, source };
  }

  /** Where each value came from, the names in their order. */
  get origins(): readonly ValueOrigin[] {
    return [...this.#origins].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The name of the configuration file. */
  get fileName(): string {
    return this.file.name ?? 'the configuration file';
  }

  /** Every value in use: those of the file, the defaults, and the secrets of the environment. */
  effective(): ShownValue[] {
    const sourceOf = (name: string): string => {
      const origin = this.#origins.find((one) => one.name === name);
      return variableOf(name, origin?.source ?? 'variable');
    };
    const values = effectiveValues(this.file, new EnvironmentValues(Object.fromEntries(this.#values)));
    const ofFile = values.map(({ key, value, variables, isDefault }): ShownValue => {
      const source = variables.length > 0 ? variables.map(sourceOf).join(', ') : this.fileName;
      return { key, value, source: isDefault ? 'default' : source };
    });
    const named = new Set(values.flatMap(({ variables }) => variables));
    const others = this.origins.filter(({ name }) => !named.has(name));
    return [...ofFile, ...others.map(({ name }) => ({ key: name, value: MASK, source: sourceOf(name) }))];
  }

  /**
   * Reads the files and the AWS secrets again, and gives the secrets of the configuration their new values.
   * What cannot be read, is wrong, or can only change at a start keeps its old value. Never throws.
   *
   * @param learn gets the texts of each new secret before anybody uses it
   */
  async reread(config: ChimeraConfig, learn: (texts: readonly string[]) => void): Promise<SecretsReread> {
    const fresh = await this.#read();
    const changed: string[] = [];
    const needStart: string[] = [];
    const wrong: string[] = [];
    const different = this.#origins.flatMap(({ name, source }) => {
      if (source === 'variable') return [];
      const value = fresh.value(name);
      if (value === undefined && !fresh.isUnreadable(name))
        wrong.push(`${variableOf(name, source)}: it has no value any more; a text was expected`);
      return value === undefined || value === this.#values.get(name) ? [] : [{ name, value }];
    });
    // One by one, so that a wrong one keeps no other from its new value.
    for (const { name, value } of different)
      try {
        const next = configOf(this.file, this.#with(name, value));
        learn(secretTexts(next));
        if (takeSecrets(config, next) === 'needs-start') needStart.push(name);
        else {
          this.#values.set(name, value);
          changed.push(name);
        }
      } catch (error) {
        if (!(error instanceof StartupError)) throw error;
        wrong.push(...error.problems);
      }
    return { changed, needStart, problems: [...fresh.problems(), ...wrong] };
  }

  /** The bot signs with one key, and deploys nothing. */
  #read(): Promise<EnvironmentValues> {
    return fetchedValues(
      this.variables,
      this.file.text,
      (name) => name !== 'DEPLOYER_PRIVATE_KEY',
      this.fetch,
    );
  }

  /** The values in use, and one other. */
  #with(name: string, value: string): EnvironmentValues {
    return new EnvironmentValues({ ...Object.fromEntries(this.#values), [name]: value });
  }
}
