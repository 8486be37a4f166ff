/** A line is longer than any that belongs there. */
export class LineTooLong extends Error {}

/**
 * The lines of a text, without their ends. No more than one line is in memory at once.
 *
 * @throws LineTooLong when a line has more bytes than that, before the rest of it is read.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, mostBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array): void => {
    length += part.length;
    if (length > mostBytes) throw new LineTooLong(`it is longer than ${mostBytes} bytes`);
    if (part.length > 0) parts.push(part);
  };
  const take = (): string => {
    const text = Buffer.concat(parts).toString('utf8');
    [parts, length] = [[], 0];
    return text;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    add(chunk.subarray(from));
  }
  if (length > 0) yield take();
}
