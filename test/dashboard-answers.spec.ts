import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';

/** The parts of JSON schema that docs/openapi.json uses for answers. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

/** What the page reads; what these refer to comes with them. */
const WANTED = [
  'AlertsPage',
  'ExecutionDetail',
  'ExecutionsPage',
  'PositionsPage',
  'PositionsPlotAnswer',
  'ProfitAnswer',
  'StatusAnswer',
  'WorkingLimitsAnswer',
];

function typesOf(schemas: Readonly<Record<string, Schema>>): string {
  const wanted = [...WANTED];
  const named = (ref: string): string => {
    const name = ref.split('/').at(-1) ?? '';
    if (!wanted.includes(name)) wanted.push(name);
    return name;
  };
  const typeOf = (schema: Schema): string => {
    const plain = plainTypeOf(schema);
    return schema.nullable ? `${plain} | null` : plain;
  };
  const plainTypeOf = ({
    $ref,
    type,
    enum: values,
    allOf,
    oneOf,
    anyOf,
    items,
    ...object
  }: Schema): string => {
    if ($ref !== undefined) return named($ref);
    if (values) return values.map((value) => JSON.stringify(value)).join(' | ');
    if (allOf) return allOf.map((one) => `(${typeOf(one)})`).join(' & ');
    const either = oneOf ?? anyOf;
    if (either) return either.map(typeOf).join(' | ');
    if (items) return `readonly (${typeOf(items)})[]`;
    if (object.properties) return fieldsOf(object.properties, object.required ?? []);
    if (typeof object.additionalProperties === 'object')
      return `Readonly<Record<string, ${typeOf(object.additionalProperties)}>>`;
    if (typeof type === 'object') return type.map((one) => plainTypeOf({ type: one })).join(' | ');
    if (type === 'integer') return 'number';
    return type === undefined || type === 'object' || type === 'array' ? 'unknown' : type;
  };
  const fieldsOf = (properties: Readonly<Record<string, Schema>>, required: readonly string[]): string =>
    `{ ${Object.entries(properties)
      .map(([name, schema]) => `readonly '${name}'${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`)
      .join('\n')} }`;
  const texts: string[] = [];
  // The list grows while it is walked: each type adds those that it refers to.
  for (const name of wanted) texts.push(`export type ${name} = ${typeOf(schemas[name] ?? {})};`);
  return texts.join('\n\n');
}

it('the types of the dashboard are those of docs/openapi.json (`vitest run PATH -u` writes them)', async () => {
  const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as {
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const path = 'dashboard/src/answers.ts';
  const text = `/** The answers of the API. test/dashboard-answers.spec.ts writes this file from docs/openapi.json. */\n/* eslint-disable max-lines -- it is as long as the answers */\n\n${typesOf(document.components.schemas)}`;
  const written = await format(text, { ...(await resolveConfig(path)), filepath: path });
  await expect(written).toMatchFileSnapshot(`../${path}`);
});
