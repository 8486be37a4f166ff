import { Expose, plainToInstance, Transform } from 'class-transformer';
import { ValidateBy, ValidateNested, type ValidationArguments } from 'class-validator';

/**
 * Decorators that declare a key of the configuration file once: how its text is read, what was expected when that
 * fails, an example, a default. Each is made of class-transformer's Expose and Transform and of a class-validator rule.
 */
export interface SectionClass {
  new (): object;
  /** What is written in it cannot be judged, because the key that says what it is has no known value. */
  readonly acceptsAnyKey?: boolean;
}

export type Mapping = Readonly<Record<string, unknown>>;

/** Which class a section is read into, by the keys written in it. */
export type SectionChoice = (written: Mapping) => SectionClass;

export interface KeyDefinition {
  /** As written in the file. */
  readonly key: string;
  /** The key may be absent, and then the typed object has no such property. */
  readonly optional: boolean;
  /** The value never appears in a message. */
  readonly secret: boolean;
  readonly expected: string;
  readonly kind: 'text' | 'section' | 'list';
  /** For sections, and for the elements of lists. */
  readonly choose?: SectionChoice;
}

/** The rule whose message stands for itself, without "is not valid". */
export const NOT_YET = 'notYet';

/** Stands where a value was written that could not be read, until validation turns it into a problem. */
const UNREADABLE = Symbol('unreadable');

const definitions = new WeakMap<object, Map<string, KeyDefinition>>();

/** The keys of a section by property name, those of its base classes first. */
export function keysOf(type: object): ReadonlyMap<string, KeyDefinition> {
  const base: unknown = Object.getPrototypeOf(type);
  const inherited = typeof base === 'function' ? keysOf(base) : [];
  return new Map([...inherited, ...(definitions.get(type) ?? [])]);
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Rule {
  readonly expected: string;
  readonly example?: string;
  readonly optional?: boolean;
}

function define(target: object, property: string | symbol, definition: KeyDefinition): void {
  const type = target.constructor;
  const known = definitions.get(type) ?? new Map<string, KeyDefinition>();
  definitions.set(type, known.set(String(property), definition));
  Expose({ name: definition.key })(target, property);
}

function mustBeReadable({ expected, example, optional }: Rule): PropertyDecorator {
  return ValidateBy({
    name: 'key',
    validator: {
      validate: (value: unknown) => value !== UNREADABLE && (value !== undefined || optional === true),
      defaultMessage: () =>
        `${expected} was expected${example === undefined ? '' : `, for example ${example}`}`,
    },
  });
}

export interface TextKey<T> {
  /** The key's name in the file, where the property is named otherwise. */
  readonly key?: string;
  /** The typed value, or undefined when the text is not one. */
  readonly read: (text: string) => T | undefined;
  /** Continues "…; <expected> was expected". */
  readonly expected: string;
  readonly example: string;
  /** Read like a written value. A function is told what is written in the section. */
  readonly default?: string | ((section: Mapping) => string);
  readonly optional?: boolean;
  readonly secret?: boolean;
}

/** A key whose value is one text: a number, a name, an address. */
export function Text<T>(options: TextKey<T>): PropertyDecorator {
  return (target, property) => {
    define(target, property, {
      key: options.key ?? String(property),
      optional: options.optional ?? false,
      secret: options.secret ?? false,
      expected: options.expected,
      kind: 'text',
    });
    Transform(({ value, obj }: { value: unknown; obj: Mapping }) => {
      const fallback = typeof options.default === 'function' ? options.default(obj) : options.default;
      const text = value ?? fallback;
      if (text === undefined) return undefined;
      return (typeof text === 'string' ? options.read(text) : undefined) ?? UNREADABLE;
    })(target, property);
    mustBeReadable(options)(target, property);
  };
}

export const SECTION_EXPECTED = 'a section (keys and values)';

/** A key that holds keys. An absent section is read as an empty one, so that its defaults hold, unless it is optional. */
export function Section(choose: SectionChoice, { optional = false } = {}): PropertyDecorator {
  return (target, property) => {
    define(target, property, {
      key: String(property),
      optional,
      secret: false,
      expected: SECTION_EXPECTED,
      kind: 'section',
      choose,
    });
    Transform(({ value }: { value: unknown }) => {
      if (value === undefined) return optional ? undefined : plainToInstance(choose({}), {});
      return isMapping(value) ? plainToInstance(choose(value), value) : UNREADABLE;
    })(target, property);
    mustBeReadable({ expected: SECTION_EXPECTED, optional })(target, property);
    ValidateNested()(target, property);
  };
}

export interface ListKey {
  readonly choose: SectionChoice;
  readonly expected: string;
  readonly example: string;
  /** The elements of an absent list. */
  readonly default?: readonly Mapping[];
  readonly least?: number;
  readonly most?: number;
}

/** A key that holds a list of sections. */
export function List(options: ListKey): PropertyDecorator {
  return (target, property) => {
    define(target, property, {
      key: String(property),
      optional: false,
      secret: false,
      expected: options.expected,
      kind: 'list',
      choose: options.choose,
    });
    Transform(({ value }: { value: unknown }) => {
      const list = value ?? options.default;
      if (list === undefined) return undefined;
      const { least = 0, most = Infinity } = options;
      if (!Array.isArray(list) || list.length < least || list.length > most) return UNREADABLE;
      return list.map((element: unknown) =>
        isMapping(element) ? plainToInstance(options.choose(element), element) : UNREADABLE,
      );
    })(target, property);
    mustBeReadable(options)(target, property);
    ValidateNested()(target, property);
  };
}

/** The names in a list must differ: they are how rows, logs and answers tell the elements apart. */
export function DistinctNames(): PropertyDecorator {
  return ValidateBy({
    name: 'distinctNames',
    validator: {
      validate: (value: unknown) => {
        if (!Array.isArray(value)) return true;
        const names = value.map((element: unknown) => (isMapping(element) ? element.name : undefined));
        const readable = names.filter((name) => typeof name === 'string');
        return new Set(readable).size === readable.length;
      },
      defaultMessage: () => 'a different name for each element was expected',
    },
  });
}

/** A word of the design that this version cannot serve yet: understood, and refused in its own words. */
export function NotYet(words: readonly string[], supported: string): PropertyDecorator {
  return ValidateBy({
    name: NOT_YET,
    validator: {
      validate: (value: unknown) => !words.some((word) => word === value),
      defaultMessage: () => `is not supported yet; supported: ${supported}`,
    },
  });
}

/** What is switched on here needs a sibling section. @param why the end of the sentence. */
export function Needs(sibling: string, why: string): PropertyDecorator {
  return ValidateBy({
    name: 'needs',
    validator: {
      validate: (value: unknown, args?: ValidationArguments) =>
        value !== true || !args || Reflect.get(args.object, sibling) !== undefined,
      defaultMessage: () => `the section ${sibling} beside it was expected: ${why}`,
    },
  });
}

type Ordered = number | bigint;

const isOrdered = (value: unknown): value is Ordered =>
  typeof value === 'number' || typeof value === 'bigint';

/**
 * The value must not exceed that of a sibling. A sibling that is itself a problem says nothing here.
 *
 * @param sibling its property name.
 */
export function AtMost(sibling: string, show: (value: Ordered) => string = String): PropertyDecorator {
  return compared('atMost', sibling, (value, other) => value <= other, 'at most', show);
}

/** The value must not be below that of a sibling; as {@link AtMost}. */
export function AtLeast(sibling: string, show: (value: Ordered) => string = String): PropertyDecorator {
  return compared('atLeast', sibling, (value, other) => value >= other, 'at least', show);
}

function compared(
  name: string,
  sibling: string,
  holds: (value: Ordered, other: Ordered) => boolean,
  words: string,
  show: (value: Ordered) => string,
): PropertyDecorator {
  const siblingOf = (args?: ValidationArguments): unknown =>
    args ? Reflect.get(args.object, sibling) : undefined;
  return ValidateBy({
    name,
    validator: {
      validate: (value: unknown, args?: ValidationArguments) => {
        const other = siblingOf(args);
        return !isOrdered(value) || !isOrdered(other) || holds(value, other);
      },
      defaultMessage: (args?: ValidationArguments) => {
        const other = siblingOf(args);
        const limit = isOrdered(other) ? show(other) : '';
        const type = args?.object.constructor;
        const key = (type && keysOf(type).get(sibling)?.key) ?? sibling;
        return `${words} the value of ${key} was expected, for example ${limit}`;
      },
    },
  });
}
