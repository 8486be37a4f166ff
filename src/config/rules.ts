import { ValidateBy } from 'class-validator';
import { isMapping, keysOf } from './keys.js';

/**
 * Rules for a value that could be read, beside what is written around it.
 *
 * @param holds is told undefined, or something that is no value, where the key or a sibling is itself a problem: then it holds.
 * @param message continues "<key>: <value> …".
 */
function rule(
  name: string,
  holds: (value: unknown, section: object) => boolean,
  message: (section: object) => string,
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value: unknown, args) => !args || holds(value, args.object),
      defaultMessage: (args) => (args ? message(args.object) : ''),
    },
  });
}

/** The names in a list must differ: rows, logs and answers tell the elements apart by them. */
export function DistinctNames(): PropertyDecorator {
  const namesIn = (list: unknown): unknown[] =>
    (Array.isArray(list) ? list : [])
      .map((element: unknown) => (isMapping(element) ? element.name : undefined))
      .filter((name) => typeof name === 'string');
  return rule(
    'distinctNames',
    (list) => new Set(namesIn(list)).size === namesIn(list).length,
    () => 'is not valid; a different name for each element was expected',
  );
}

/** Words that this version understands but does not serve yet. */
export function NotYet(words: readonly string[], supported: string): PropertyDecorator {
  return rule(
    'notYet',
    (value) => !words.some((word) => word === value),
    () => `is not supported yet; supported: ${supported}`,
  );
}

/** What is switched on here needs a sibling section. @param why the end of the sentence. */
export function Needs(sibling: string, why: string): PropertyDecorator {
  return rule(
    'needs',
    (value, section) => value !== true || Reflect.get(section, sibling) !== undefined,
    () => `is not valid; the section ${sibling} beside it was expected: ${why}`,
  );
}

type Ordered = number | bigint;

/** The value must not exceed that of a sibling, which is given by its property name. */
export function AtMost(sibling: string, show: (value: Ordered) => string = String): PropertyDecorator {
  return compared('at most', sibling, (value, limit) => value <= limit, show);
}

/** The value must not be below that of a sibling, which is given by its property name. */
export function AtLeast(sibling: string, show: (value: Ordered) => string = String): PropertyDecorator {
  return compared('at least', sibling, (value, limit) => value >= limit, show);
}

function compared(
  words: string,
  sibling: string,
  holds: (value: Ordered, limit: Ordered) => boolean,
  show: (value: Ordered) => string,
): PropertyDecorator {
  const limitIn = (section: object): unknown => Reflect.get(section, sibling);
  return rule(
    words,
    (value, section) => {
      const limit = limitIn(section);
      return !isOrdered(value) || !isOrdered(limit) || holds(value, limit);
    },
    (section) => {
      const limit = limitIn(section);
      const key = keysOf(section.constructor).get(sibling)?.key ?? sibling;
      return `is not valid; ${words} the value of ${key} was expected, for example ${isOrdered(limit) ? show(limit) : ''}`;
    },
  );
}

function isOrdered(value: unknown): value is Ordered {
  return typeof value === 'number' || typeof value === 'bigint';
}
