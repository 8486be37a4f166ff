import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { ANSWER_SCHEMAS } from './answer-schemas.js';

type AnswerName = keyof typeof ANSWER_SCHEMAS;

/** What the API document says of a route. The role, and the errors of every route, are added there. */
interface RouteDescription {
  /** One line. */
  readonly summary: string;
  /** The type that it answers with; none: text of `type`. */
  readonly answer?: AnswerName;
  /** Of an answer that is no JSON. */
  readonly type?: string;
  /** Errors of its own, by their status. */
  readonly errors?: Readonly<Record<number, string>>;
  /** Other answers than errors, by their status. */
  readonly further?: Readonly<Record<number, { readonly means: string; readonly answer: AnswerName }>>;
  /** It answers 503 while the database is away. */
  readonly usesDatabase?: boolean;
}

const AWAY = { 503: 'the database is away: try again shortly' };

export const schemaNamed = (name: AnswerName): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });

/** Describes a route for the API document. */
export function Described(route: RouteDescription): MethodDecorator {
  const { summary, answer, type = 'text/plain', errors, further = {}, usesDatabase = false } = route;
  const description = answer === undefined ? 'Text.' : 'Done.';
  const own = Object.entries({ ...errors, ...(usesDatabase && AWAY) });
  return applyDecorators(
    ApiOperation({ summary }),
    answer === undefined
      ? ApiResponse({ status: 200, description, content: { [type]: { schema: { type: 'string' } } } })
      : ApiResponse({ status: 200, description, schema: schemaNamed(answer) }),
    ...Object.entries(further).map(([status, other]) =>
      ApiResponse({ status: Number(status), description: other.means, schema: schemaNamed(other.answer) }),
    ),
    ...own.map(([status, means]) =>
      ApiResponse({ status: Number(status), description: means, schema: schemaNamed('ErrorAnswer') }),
    ),
  );
}
