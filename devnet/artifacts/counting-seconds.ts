/**
 * Makes Compound's compiled market count seconds, as its fork Moonwell does, whose sources are not packaged.
 */
import type { Artifact } from './compile.js';

const NUMBER = 0x43;
const TIMESTAMP = 0x42;
const PUSH_1 = 0x60;
const PUSH_32 = 0x7f;

/** The artifact with TIMESTAMP in place of each NUMBER: CToken.getBlockNumber is all that uses it. */
export function countingSeconds({ bytecode, ...artifact }: Artifact): Artifact {
  const code = Buffer.from(bytecode.slice(2), 'hex');
  for (let at = 0; at < code.length; at++) {
    const opcode = code[at] ?? 0;
    if (opcode === NUMBER) code[at] = TIMESTAMP;
    else if (opcode >= PUSH_1 && opcode <= PUSH_32) at += opcode - PUSH_1 + 1;
  }
  return { ...artifact, bytecode: `0x${code.toString('hex')}` };
}
