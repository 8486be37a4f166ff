import { readFile } from 'node:fs/promises';
import { VERSION } from '../../domain/version.js';

/** Which program runs. */
export interface ProgramBuild {
  readonly version: string;
  /** Of git; `unknown` where neither the image nor a working copy says it. */
  readonly commit: string;
}

/** The top of the project, from src/monitoring/metrics and from dist/src/monitoring/metrics. */
const TOPS = ['../../../', '../../../../'].map((path) => new URL(path, import.meta.url));

export async function programBuild(tops: readonly URL[] = TOPS): Promise<ProgramBuild> {
  for (const top of tops) {
    const commit = await commitIn(top);
    if (commit !== undefined) return { version: VERSION, commit };
  }
  return { version: VERSION, commit: 'unknown' };
}

/** The image has it in a file, see the Dockerfile. */
async function commitIn(top: URL): Promise<string | undefined> {
  const read = async (path: string): Promise<string> => (await readFile(new URL(path, top), 'utf8')).trim();
  try {
    const text = await read('COMMIT').catch(async () => {
      const head = await read('.git/HEAD');
      return head.startsWith('ref: ') ? read(`.git/${head.slice('ref: '.length)}`) : head;
    });
    return /^[0-9a-f]{7,64}$/.test(text) ? text.slice(0, 12) : undefined;
  } catch {
    return undefined;
  }
}
