import { readFileSync } from 'node:fs';
import type { Fetched } from '../aws/secrets-manager.js';
import { StartupError } from '../domain/errors.js';
import { textOf } from './file-text.js';

/** Variables by name, as process.env holds them. An empty value counts as absent. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Where a value comes from: the first of these that is set. */
export const SOURCES = ['aws', 'file', 'variable'] as const;
export type Source = (typeof SOURCES)[number];

const SUFFIX: Readonly<Record<Source, string>> = { aws: '_AWS_SECRET', file: '_FILE', variable: '' };

/** A value that was looked for. */
export interface Reading {
  readonly value: string | undefined;
  readonly source: Source;
  /** Sources that are set too, and not used. */
  readonly unused: readonly Source[];
}

/** How the source of a value is written: NAME_AWS_SECRET, NAME_FILE or NAME. */
export function variableOf(name: string, source: Source): string {
  return name + SUFFIX[source];
}

/** NAME for NAME_AWS_SECRET, NAME_FILE and NAME. */
export function nameOf(variable: string): string {
  return variable.replace(/_(AWS_SECRET|FILE)$/, '');
}

/** The value of each name: from AWS Secrets Manager, from a file, or from the variable itself. */
export class EnvironmentValues {
  /** Why a source could not be read, by name. */
  readonly #unreadable = new Map<string, string>();
  readonly #readings = new Map<string, Reading>();

  /**
   * @param fetched what AWS said, by name. It has no entry for names that the program does not need.
   * @param readText reads a file
   */
  constructor(
    private readonly variables: Variables,
    private readonly fetched: ReadonlyMap<string, Fetched> = new Map(),
    private readonly readText: (path: string) => string = (path) => textOf(readFileSync(path), path),
  ) {}

  /** Without its last line break, when it comes from a file or from AWS. */
  value(name: string): string | undefined {
    return this.#reading(name)?.value;
  }

  /** What was looked for until now, and is set somewhere. */
  get readings(): ReadonlyMap<string, Reading> {
    return this.#readings;
  }

  /**
   * One sentence for each source that could not be read.
   *
   * @param names only of these; default: of all that were looked for
   */
  problems(names?: ReadonlySet<string>): string[] {
    return [...this.#unreadable].flatMap(([name, sentence]) =>
      names === undefined || names.has(name) ? [sentence] : [],
    );
  }

  /** Whether a source is set that could not be read: that is a problem of its own. */
  isUnreadable(name: string): boolean {
    return this.#unreadable.has(name);
  }

  /** The names of all variables, whatever their source. */
  get names(): string[] {
    return [...new Set(Object.keys(this.variables).map(nameOf))];
  }

  /** Docker leaves the first half of a Windows line break at the end of a variable. */
  variable(name: string): string | undefined {
    return this.variables[name]?.replace(/\r$/, '') || undefined;
  }

  #reading(name: string): Reading | undefined {
    const known = this.#readings.get(name);
    if (known) return known;
    const [source, ...unused] = SOURCES.filter((one) => this.variable(variableOf(name, one)) !== undefined);
    if (source === undefined) return undefined;
    const reading = { value: this.#valueFrom(source, name), source, unused };
    this.#readings.set(name, reading);
    return reading;
  }

  #valueFrom(source: Source, name: string): string | undefined {
    const text = this.variable(variableOf(name, source));
    if (text === undefined || source === 'variable') return text;
    if (source === 'file') return this.#ofFile(name, text);
    const fetched = this.fetched.get(name);
    if (fetched === undefined) return undefined;
    if ('value' in fetched) return fetched.value;
    this.#problem(name, 'aws', fetched.problem);
    return undefined;
  }

  #ofFile(name: string, path: string): string | undefined {
    try {
      return this.readText(path).replace(/\r?\n$/, '') || undefined;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      const why =
        error instanceof StartupError
          ? 'the file it names is not UTF-8 text; save it as UTF-8'
          : `the file it names cannot be read (${code}); a readable file was expected`;
      this.#problem(name, 'file', why);
      return undefined;
    }
  }

  #problem(name: string, source: Source, why: string): void {
    this.#unreadable.set(name, `${variableOf(name, source)}: ${why}`);
  }
}
