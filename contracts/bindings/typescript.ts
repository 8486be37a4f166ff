/**
 * Writes a compiled contract's ABI as TypeScript: fragments, selectors, and a type and a reader for each
 * struct and event.
 */
import { EventFragment, FunctionFragment, Interface, ParamType, type JsonFragment } from 'ethers';

export interface BindingsInput {
  readonly abi: readonly JsonFragment[];
  /** Events to write readers for. */
  readonly events: readonly string[];
  /** Numbers that the ABI does not know, enums and constants, by the name of the record they go into. */
  readonly numbers: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const HEADER = `/** Written by \`npm run generate\` from contracts/src. Do not edit: change the contract instead. */
import { addressAt, addressFromWord, bytesAt, uintAt, type Address, type Hex } from '../domain/hex.js';
`;

/** @throws Error when the contract returns or emits a type that the readers do not know. */
export function typescriptBindings({ abi, events, numbers }: BindingsInput): string {
  const parsed = new Interface(abi);
  const functions = parsed.fragments.filter((fragment) => fragment instanceof FunctionFragment);
  const read = events.map((name) => parsed.getEvent(name)).filter((event) => event !== null);
  return [
    HEADER,
    `export const CHIMERA_ABI = ${JSON.stringify(fragmentsOf(parsed))} as const;`,
    record(
      'SELECTORS',
      functions.map(({ name, selector }) => [name, selector]),
    ),
    record(
      'TOPICS',
      read.map(({ name, topicHash }) => [name, topicHash]),
    ),
    ...Object.entries(numbers).map(
      ([name, values]) => `export const ${name} = ${JSON.stringify(values)} as const;`,
    ),
    ...[...structsOf(abi)].map(([name, fields]) => structReader(name, fields)),
    ...read.map(eventReader),
  ].join('\n\n');
}

function fragmentsOf(abi: Interface): string[] {
  return abi.fragments
    .filter(({ type }) => type !== 'constructor' && type !== 'fallback')
    .map((fragment) => fragment.format('full'))
    .sort();
}

function record(name: string, entries: readonly (readonly [string, string])[]): string {
  const sorted = Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `export const ${name} = ${JSON.stringify(sorted)} as const satisfies Record<string, Hex>;`;
}

/** Each struct that a function returns, alone or in an array, by its name in the source. */
function structsOf(abi: readonly JsonFragment[]): Map<string, ParamType[]> {
  const found = new Map<string, ParamType[]>();
  for (const output of abi.flatMap(({ outputs }) => outputs ?? [])) {
    const name = /^struct (?:\w+\.)?(\w+)/.exec(output.internalType ?? '')?.[1];
    if (name)
      found.set(
        name,
        (output.components ?? []).map((component) => ParamType.from(component)),
      );
  }
  return found;
}

function structReader(name: string, fields: readonly ParamType[]): string {
  const reads = fields.map((field, index) => `${field.name}: ${reader(field, 'data', `first + ${index}`)}`);
  return `${interfaceOf(name, fields)}
/** @param first the struct's first word @throws RangeError when the data is too short. */
export function read${name}(data: Hex, first = 0): ${name} {
  return { ${reads.join(', ')} };
}
export const ${name.toUpperCase()}_WORDS = ${fields.length};`;
}

function eventReader(event: EventFragment): string {
  let topic = 0;
  let word = 0;
  const reads = event.inputs.map((input) => {
    const value = input.indexed ? topicReader(input, (topic += 1)) : reader(input, 'data', String(word++));
    return `${input.name}: ${value}`;
  });
  return `${interfaceOf(`${event.name}Event`, event.inputs)}
/** @throws RangeError when the log is too short. */
export function read${event.name}(topics: readonly Hex[], data: Hex): ${event.name}Event {
  return { ${reads.join(', ')} };
}`;
}

function interfaceOf(name: string, fields: readonly ParamType[]): string {
  const lines = fields.map((field) => `readonly ${field.name}: ${typeOf(field)};`);
  return `export interface ${name} {\n${lines.join('\n')}\n}`;
}

function typeOf({ type }: ParamType): string {
  if (type === 'address') return 'Address';
  if (type === 'bytes') return 'Hex';
  if (type === 'bool') return 'boolean';
  if (/^uint\d+$/.test(type)) return 'bigint';
  throw new Error(`no TypeScript type for ${type}`);
}

function reader(field: ParamType, data: string, index: string): string {
  if (field.type === 'address') return `addressAt(${data}, ${index})`;
  if (field.type === 'bytes') return `bytesAt(${data}, ${index})`;
  if (field.type === 'bool') return `uintAt(${data}, ${index}) !== 0n`;
  if (typeOf(field) === 'bigint') return `uintAt(${data}, ${index})`;
  throw new Error(`no reader for ${field.type}`);
}

function topicReader(field: ParamType, index: number): string {
  const topic = `topics[${index}] ?? '0x'`;
  if (field.type === 'address') return `addressFromWord(${topic})`;
  return reader(field, topic, '0');
}
