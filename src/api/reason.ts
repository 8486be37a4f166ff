import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Length, Matches } from 'class-validator';

/**
 * Matches text without control characters, line separators, lone surrogates and marks that turn the direction
 * of text. Logs, alerts and terminals must show a reason as it was written.
 */
export const PLAIN_LINE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u;

/**
 * Matches text in which something can be seen. Spaces of all kinds, marks without a letter, and characters
 * that are made to be invisible (zero-width ones, the fillers of Hangul, the empty braille cell) cannot.
 */
const SOMETHING_VISIBLE = /(?![\p{DI}\u2800])[\p{L}\p{N}\p{P}\p{S}]/u;

/** The body of a halt or a resume. */
export class ReasonBody {
  @ApiProperty({
    type: String,
    ...{ minLength: 1, maxLength: 500, example: 'maintenance of the node' },
    description: 'One line, for the audit trail. At least one character of it can be seen.',
  })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @Matches(SOMETHING_VISIBLE, { message: 'reason must hold at least one visible character' })
  @Matches(PLAIN_LINE, { message: 'reason must be one line of text without control characters' })
  @Length(1, 500, { message: 'reason must be given: a text of 1 to 500 characters' })
  readonly reason!: string;
}
