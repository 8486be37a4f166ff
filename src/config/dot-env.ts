import { StartupError } from '../domain/errors.js';
import type { Variables } from './environment-values.js';

/** NAME=, with or without `export` before it, with or without spaces around the `=`. */
const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*/;
const NOTHING_MORE = /^\s*(#.*)?$/;

/**
 * Reads the text of a `.env` file as the readers do that people know (dotenv, Docker Compose, a shell). Where
 * these differ, and one of them would cut the value, the line is refused.
 *
 * - `export`, spaces around the `=` and any line break are understood. Of two lines the last counts.
 * - A value in quotes is taken as it is, over several lines too. In double quotes `\n` is a line break.
 * - Without quotes a comment begins with a space and `#`. A `#` within the value belongs to it.
 * - `$` is a character like any other.
 *
 * @param file its name in the messages.
 * @throws StartupError with every line that is not clear. No sentence holds a value.
 */
export function parseDotEnv(text: string, file: string): Variables {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  for (let index = 0; index < lines.length;) {
    const line = lines[index] ?? '';
    const [start = '', name = ''] = ASSIGNMENT.exec(line) ?? [];
    if (name !== '') {
      const read = valueOf([line.slice(start.length), ...lines.slice(index + 1)]);
      if (read.problem !== undefined)
        problems.push(`${file}, line ${index + 1}: the value of ${name} ${read.problem}`);
      values[name] = read.value;
      index += read.lines;
      continue;
    }
    if (!NOTHING_MORE.test(line)) problems.push(`${file}, line ${index + 1}: NAME=value was expected`);
    index += 1;
  }
  if (problems.length > 0) throw new StartupError(problems);
  return values;
}

interface Value {
  readonly value: string;
  /** How many lines it takes. */
  readonly lines: number;
  /** Continues "the value of NAME …". */
  readonly problem?: string;
}

/** @param lines begin with the value. */
function valueOf(lines: readonly string[]): Value {
  const [first = ''] = lines;
  const quote = first[0] ?? '';
  if (quote === '"' || quote === "'" || quote === '`') return quotedValue(lines.join('\n').slice(1), quote);
  const value = first.replace(/\s#.*$/, '').trim();
  if (!value.startsWith('#')) return { value, lines: 1 };
  return {
    value,
    lines: 1,
    problem: 'begins with #, which some readers take for a comment; put it in quotes',
  };
}

/** @param text begins behind the first quote. */
function quotedValue(text: string, quote: string): Value {
  const end = text.indexOf(quote);
  if (end < 0) return { value: '', lines: 1, problem: `begins with ${quote} but does not end with it` };
  const inside = text.slice(0, end);
  const lines = inside.split('\n').length;
  const [behind = ''] = text.slice(end + 1).split('\n');
  if (!NOTHING_MORE.test(behind))
    return {
      value: '',
      lines,
      problem: `goes on behind its second ${quote}; put it in quotes that it does not hold`,
    };
  return { value: quote === '"' ? inside.replaceAll('\\n', '\n').replaceAll('\\r', '\r') : inside, lines };
}
