/**
 * Writes src/api/answer-schemas.ts: the JSON schema of each answer of the API, from its TypeScript type and the
 * comments there. @nestjs/swagger reads classes only, and would want each shape a second time.
 *
 *   npm run generate:api              writes it
 *   npm run generate:api -- --check   fails when the file differs from the types
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'src', 'api');
const TARGET = join(FOLDER, 'answer-schemas.ts');
/** The names of the types that are answers. */
const ANSWER = /(Answer|Page|Detail)$/;
/** An object of so many optional fields of one type counts something by name: the names are not listed. */
const MANY_FIELDS = 8;

const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
  .map((name) => join(FOLDER, name));
const program = ts.createProgram(files, options);
const checker = program.getTypeChecker();

/** The symbols of the answers, by name. */
const answers = new Map();
for (const path of files)
  for (const statement of program.getSourceFile(path)?.statements ?? [])
    if (
      (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) &&
      ANSWER.test(statement.name.text) &&
      statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    )
      answers.set(statement.name.text, checker.getSymbolAtLocation(statement.name));

const textOf = (symbol) =>
  ts
    .displayPartsToString(symbol.getDocumentationComment(checker))
    .replace(/\{@link (\S+?)\}/g, '$1')
    .replace(/\n(?!\s*-)/g, ' ')
    .trim();

function described(schema, symbol) {
  const description = textOf(symbol);
  return description === '' ? schema : { ...schema, description };
}

function nameOf(type) {
  for (const symbol of [type.aliasSymbol, type.symbol])
    if (symbol && answers.get(symbol.name) === symbol) return symbol.name;
  return undefined;
}

function unionOf(type, where) {
  const members = type.types.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
  const isNullable = members.some(({ flags }) => flags & ts.TypeFlags.Null);
  const rest = members.filter(({ flags }) => !(flags & ts.TypeFlags.Null));
  const orNull = (schema) => {
    if (!isNullable) return schema;
    const { type: one, ...more } = schema;
    if (typeof one !== 'string') return { anyOf: [schema, { type: 'null' }] };
    return { ...more, type: [one, 'null'], ...(more.enum && { enum: [...more.enum, null] }) };
  };
  if (rest.length > 0 && rest.every((one) => one.isStringLiteral()))
    return orNull({ type: 'string', enum: rest.map(({ value }) => value).sort() });
  if (rest.every(({ flags }) => flags & ts.TypeFlags.BooleanLiteral)) return orNull({ type: 'boolean' });
  const [only, ...others] = [
    ...new Map(rest.map((one) => schemaOf(one, where)).map((one) => [JSON.stringify(one), one])).values(),
  ];
  return orNull(others.length === 0 ? (only ?? {}) : { anyOf: [only, ...others] });
}

function objectOf(type, where) {
  const index = checker.getIndexInfoOfType(type, ts.IndexKind.String);
  const all = checker.getPropertiesOfType(type);
  if (all.length === 0)
    return { type: 'object', additionalProperties: index ? schemaOf(index.type, where) : true };
  const fields = all.map((symbol) => {
    const fieldType = checker.getTypeOfSymbol(symbol);
    const optional =
      (symbol.flags & ts.SymbolFlags.Optional) !== 0 ||
      (fieldType.isUnion() && fieldType.types.some(({ flags }) => flags & ts.TypeFlags.Undefined));
    const bare = schemaOf(fieldType, `${where}.${symbol.name}`);
    return { name: symbol.name, optional, bare, schema: described(bare, symbol) };
  });
  const kinds = new Set(fields.map(({ bare }) => JSON.stringify(bare)));
  if (fields.length >= MANY_FIELDS && fields.every(({ optional }) => optional) && kinds.size === 1)
    return { type: 'object', additionalProperties: fields[0].bare };
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ name, schema }) => [name, schema])),
    required: fields.filter(({ optional }) => !optional).map(({ name }) => name),
    ...(index && { additionalProperties: true }),
  };
}

function schemaOf(type, where, isRoot = false) {
  const name = nameOf(type);
  if (name && !isRoot) return { $ref: `#/components/schemas/${name}` };
  const { flags } = type;
  if (type.isStringLiteral()) return { type: 'string', enum: [type.value] };
  if (type.isNumberLiteral()) return { type: 'number', enum: [type.value] };
  if (flags & (ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral)) return { type: 'string' };
  if (flags & ts.TypeFlags.Number) return { type: 'number' };
  if (flags & (ts.TypeFlags.Boolean | ts.TypeFlags.BooleanLiteral)) return { type: 'boolean' };
  if (flags & ts.TypeFlags.Null) return { type: 'null' };
  if (flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return {};
  if (type.isUnion()) return unionOf(type, where);
  if (checker.isTupleType(type) || checker.isArrayType(type)) {
    const [item] = checker.getTypeArguments(type);
    return { type: 'array', items: schemaOf(item, `${where}[]`) };
  }
  if (flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return objectOf(type, where);
  throw new TypeError(`${where} cannot be JSON: ${checker.typeToString(type)}`);
}

const schemas = Object.fromEntries(
  [...answers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, symbol]) => [
      name,
      described(schemaOf(checker.getDeclaredTypeOfSymbol(symbol), name, true), symbol),
    ]),
);
const text = `/* eslint max-lines: off, max-len: off */
/** Written by \`npm run generate:api\` from the answers' types. Do not edit: change the types instead. */
import type { OpenAPIObject } from '@nestjs/swagger';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

export const ANSWER_SCHEMAS = ${JSON.stringify(schemas)} satisfies Schemas;
`;
const formatted = await format(text, { ...(await resolveConfig(TARGET)), parser: 'typescript' });

if (!process.argv.includes('--check')) writeFileSync(TARGET, formatted);
else if (readFileSync(TARGET, 'utf8') !== formatted) {
  console.error(
    'src/api/answer-schemas.ts is not what the types say; run `npm run generate:api` and commit it.',
  );
  process.exitCode = 1;
}
