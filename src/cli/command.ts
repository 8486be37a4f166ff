/** Where a command writes. A test reads it. */
export interface Terminal {
  /** Results, on the standard output. */
  readonly print: (line: string) => void;
  /** Progress and problems, on the standard error. */
  readonly remark: (line: string) => void;
}

/** One command of `npx chimera`. */
export interface Command {
  /** One line for the list of commands. */
  readonly about: string;
  /** @returns the exit code. @throws StartupError for problems that are the caller's. */
  readonly run: (options: readonly string[], terminal: Terminal) => Promise<number>;
}
