import { GranuleError } from '../../errors.js';

/**
 * A text that can be a column of a TREC file: not empty, without white space, and well-formed, so that it reads back the same.
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function checkedField(text: string, what: string): string {
  if (text === '' || /[\s\0\p{Surrogate}]/u.test(text)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `the ${what} ${JSON.stringify(text)} cannot be a column of a TREC file: it is empty, holds white space, or is not well-formed`,
      { id: text },
    );
  }
  return text;
}
