/** Where a command writes. A test reads it. */
export interface Terminal {
  /** Results, on the standard output. */
  readonly print: (line: string) => void;
  /** Progress and problems, on the standard error. */
  readonly remark: (line: string) => void;
  /** Writes as it is, without a line break. Only where the standard output is a terminal. */
  readonly draw?: (text: string) => void;
  /** Asks, and waits for one line; undefined when the input ends. Absent without a terminal. */
  readonly ask?: (question: string) => Promise<string | undefined>;
}

/** Nest gives the {@link Terminal} to every command by this name. */
export const TERMINAL = Symbol('terminal');

/** What a command ends with. */
export class Outcome {
  exitCode = 0;
}
