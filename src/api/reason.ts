import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Length, Matches } from 'class-validator';
import { LONGEST_REASON, PLAIN_LINE, SOMETHING_VISIBLE } from '../domain/reason.js';

export { PLAIN_LINE } from '../domain/reason.js';

/** The body of a halt or a resume. */
export class ReasonBody {
  @ApiProperty({
    type: String,
    ...{ minLength: 1, maxLength: LONGEST_REASON, example: 'maintenance of the node' },
    description: 'One line, for the audit trail. At least one character of it can be seen.',
  })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @Matches(SOMETHING_VISIBLE, { message: 'reason must hold at least one visible character' })
  @Matches(PLAIN_LINE, { message: 'reason must be one line of text without control characters' })
  @Length(1, LONGEST_REASON, { message: `reason must be given: a text of 1 to ${LONGEST_REASON} characters` })
  readonly reason!: string;
}
