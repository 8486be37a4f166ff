import { ValidateBy } from 'class-validator';
import { isMapping, keysOf } from './keys.js';

/**
 * Declares a rule between a value and the other values of its section.
 *
 * @param holds must return true when the value, or the value beside it, could not be read: that is a problem
 *   of its own.
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

/** The names in a list must differ, because rows, logs and API answers identify the elements by name. */
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

/**
 * The list must hold an element of a kind that a key beside the list names.
 *
 * @param key as `section.key`. Where the section is absent, nothing is named.
 */
export function NamedBy(key: string, kind: string): PropertyDecorator {
  const named = (section: object): unknown =>
    key
      .split('.')
      .reduce<unknown>((part, name) => (isMapping(part) ? part[name] : undefined), { ...section });
  return rule(
    'namedBy',
    (list, section) => {
      const name = named(section);
      if (typeof name !== 'string' || !Array.isArray(list)) return true;
      return list.some((one: unknown) => isMapping(one) && one.name === name && one.kind === kind);
    },
    (section) =>
      `is not valid; a channel of kind ${kind} with the name ${JSON.stringify(named(section))} was expected, which ${key} names`,
  );
}

/**
 *  A list with more than one element is refused, after the mistakes in its elements. @param expected ends the
 * sentence.
 */
export function OnlyOne(expected: string): PropertyDecorator {
  return rule(
    'onlyOne',
    (list) => !Array.isArray(list) || list.length <= 1,
    () => `is not valid; ${expected}`,
  );
}

/** A flag that needs a section beside it when it is true. @param why ends the sentence. */
export function Needs(sibling: string, why: string): PropertyDecorator {
  return rule(
    'needs',
    (value, section) => value !== true || Reflect.get(section, sibling) !== undefined,
    () => `is not valid; the section ${sibling} beside it was expected: ${why}`,
  );
}

/** A key that has an effect only when another key of the section has a certain value. */
export function OnlyWith(sibling: string, needed: string): PropertyDecorator {
  return rule(
    'onlyWith',
    (value, section) => value === undefined || Reflect.get(section, sibling) === needed,
    () => `is not valid; it has an effect only with ${sibling}: ${needed}`,
  );
}

type Ordered = number | bigint;

/**
 * The value must be at most that of another key of the section. @param sibling the other key's property name.
 */
export function AtMost(sibling: string, show: (value: Ordered) => string = String): PropertyDecorator {
  return compared('at most', sibling, (value, limit) => value <= limit, show);
}

/**
 * The value must be at least that of another key of the section. @param sibling the other key's property
 * name.
 */
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
