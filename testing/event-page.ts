/** Makes docs/events.md of the types of the events and their comments. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const FOLDER = fileURLToPath(new URL('../src/domain/events/', import.meta.url));

const HEAD = `# Events

Everything that the bot does is an event. Off a terminal each is one line of JSON, with its name under \`event\` and these
fields beside \`level\`, \`time\` and \`context\`. On a terminal each is a sentence.

- Amounts are decimal text in the smallest unit of the token. \`…Usd8\` is decimal text in dollars with 8 decimals:
  \`1234567890\` is 12.3456789 dollars. \`…Wad\` has 18 decimals. \`…Ms\` are milliseconds, \`…Us\` microseconds.
- No event holds a secret or the address of an endpoint.

This page is made from the types in src/domain/events.
`;

interface Field {
  readonly name: string;
  readonly optional: boolean;
  readonly type: string;
  readonly says: string;
}

/** One table for each event, under a heading for each file of the types. */
export function eventPage(): string {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'events.ts');
  return [HEAD, ...files.sort().map(pageOf)].join('\n');
}

function pageOf(name: string): string {
  const source = ts.createSourceFile(
    name,
    readFileSync(`${FOLDER}${name}`, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const types = source.statements.filter(ts.isTypeAliasDeclaration);
  const union = types.find((one) => one.name.text.endsWith('Event'));
  if (!union) throw new TypeError(`${name} has no type …Event`);
  const [heading = ''] = wordsOf(union).split(/\.(?: |$)/);
  return [`## ${heading}`, '', ...membersOf(union.type).map(sectionOf)].join('\n');
}

function membersOf(type: ts.TypeNode): readonly ts.TypeNode[] {
  return ts.isUnionTypeNode(type) ? type.types.flatMap(membersOf) : [type];
}

function sectionOf(type: ts.TypeNode): string {
  const fields = fieldsOf(type);
  const event = fields.find(({ name }) => name === 'event');
  if (!event) throw new TypeError(`an event without a name: ${type.getText()}`);
  const rows = fields
    .filter((field) => field !== event)
    .map(
      ({ name, optional, type: text, says }) =>
        `| \`${name}\`${optional ? ' (if known)' : ''} | \`${text}\` | ${says} |`,
    );
  const table =
    rows.length === 0 ? [] : ['', '| field | type | what it is |', '| --- | --- | --- |', ...rows];
  return [`### ${event.type.replaceAll("'", '')}`, '', event.says, ...table, '']
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n');
}

function fieldsOf(type: ts.TypeNode): readonly Field[] {
  if (ts.isParenthesizedTypeNode(type)) return fieldsOf(type.type);
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap(fieldsOf);
  if (!ts.isTypeLiteralNode(type)) return [];
  return type.members.filter(ts.isPropertySignature).map((member) => ({
    name: member.name.getText(),
    optional: member.questionToken !== undefined,
    type: (member.type?.getText() ?? 'unknown').replaceAll(/\s+/g, ' ').replaceAll('|', '\\|'),
    says: wordsOf(member),
  }));
}

/** The comment before a declaration, as one line. */
function wordsOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node);
  const comment = doc && typeof doc.comment === 'string' ? doc.comment : '';
  return comment
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\{@link (\S+?)\}/g, '$1')
    .replaceAll('|', '\\|')
    .trim();
}
