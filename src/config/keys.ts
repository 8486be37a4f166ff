import { ValidateBy, ValidateNested } from 'class-validator';

export type Mapping = Readonly<Record<string, unknown>>;

/** A class whose properties are declared by {@link Text}, {@link Section} and {@link List}. */
export interface SectionClass<Type extends object = object> {
  new (): Type;
  /** Its other keys are not checked, because the key that says what the section is has no known value. */
  readonly acceptsAnyKey?: boolean;
  /**
   * Keys that stand beside its own and are not read by it. Where all of its own are written, no other key is
   * checked: a mistake there is not its business.
   */
  readonly keysOfOthers?: () => readonly string[];
}

/** Chooses the class of a section by the texts written in it. */
export type SectionChoice<Type extends object = object> = (written: Mapping) => SectionClass<Type>;

interface Described {
  /** The key's name in the file, if it differs from the property's. */
  readonly key?: string;
  /** The key may be absent; the property is then undefined. */
  readonly optional?: boolean;
  /** What was expected: messages continue "…; <expected> was expected". */
  readonly expected: string;
  readonly example?: string;
}

/** A key whose value is one text: a number, a name, an address. */
export interface TextKey extends Described {
  /** The typed value, or undefined when the text is not one. */
  readonly read: (text: string) => unknown;
  /** Is read like a written value. A function gets the values of the keys declared before this one. */
  readonly default?: string | ((section: Mapping) => string);
  /** An environment variable that wins over the file when it has a value. */
  readonly variable?: string;
  /** The value never appears in a message. */
  readonly secret?: boolean;
  /** The JSON Schema of what may be written: {@link configSchema}. Absent: any text. */
  readonly form?: Mapping;
  /** A list of texts is read like one text with commas between them. */
  readonly list?: boolean;
}

/** A key that holds a section. An absent section is read as an empty one, so that its defaults apply. */
interface SectionKey extends Described {
  readonly choose: SectionChoice;
}

/** A key that holds a list of sections. */
interface ListKey extends Described {
  readonly choose: SectionChoice;
  /** The elements of an absent list. */
  readonly default?: readonly Mapping[];
  readonly least?: number;
}

export type KeyDefinition = { readonly key: string } & (
  | ({ readonly kind: 'text' } & TextKey)
  | ({ readonly kind: 'section' } & SectionKey)
  | ({ readonly kind: 'list' } & ListKey)
);

/** The rule that every key has: a value was written (or the key is optional), and it could be read. */
export const READABLE = 'readable';
/** Marks a value that was written but could not be read. Validation turns it into a problem. */
export const UNREADABLE = Symbol('unreadable');
export const SECTION_EXPECTED = 'a section (keys and values)';

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

export function Text(options: TextKey): PropertyDecorator {
  return declare((key) => ({ key, kind: 'text', ...options }));
}

export function Section(choose: SectionChoice, { optional = false } = {}): PropertyDecorator {
  return declare((key) => ({ key, kind: 'section', choose, optional, expected: SECTION_EXPECTED }));
}

export function List(options: ListKey): PropertyDecorator {
  return declare((key) => ({ key, kind: 'list', ...options }));
}

function declare(definitionOf: (property: string) => KeyDefinition): PropertyDecorator {
  return (target, property) => {
    const definition = definitionOf(String(property));
    const { kind, optional, expected, example } = definition;
    const ofType = definitions.get(target.constructor) ?? new Map<string, KeyDefinition>();
    definitions.set(target.constructor, ofType.set(String(property), definition));
    ValidateBy({
      name: READABLE,
      validator: {
        validate: (value: unknown) => value !== UNREADABLE && (value !== undefined || optional === true),
        defaultMessage: () =>
          `${expected} was expected${example === undefined ? '' : `, for example ${example}`}`,
      },
    })(target, property);
    if (kind !== 'text') ValidateNested()(target, property);
  };
}
