import { describe, expect, it } from 'vitest';
import { problemsOf, VARIABLES, withSection } from '../../testing/configuration.js';
import type { Variables } from './environment-values.js';
import { parseConfig } from './parse-config.js';

describe('the second opinion', () => {
  const rpc = (more: string): string =>
    withSection('rpc', `{ primary: { http: \${RPC_PRIMARY_HTTP} }${more} }`);
  const backup = ', backup: { http: ${RPC_BACKUP_HTTP} }';
  const opinionOf = (yaml: string, variables: Variables = VARIABLES): boolean =>
    parseConfig(yaml, variables).rpc.secondOpinion;
  const withBackup = { ...VARIABLES, RPC_BACKUP_HTTP: 'http://127.0.0.1:8546' };

  it('is on with a backup, unless the file says false', () => {
    expect(opinionOf(rpc(backup), withBackup)).toBe(true);
    expect(opinionOf(rpc(`${backup}, secondOpinion: true`), withBackup)).toBe(true);
    expect(opinionOf(rpc(`${backup}, secondOpinion: false`), withBackup)).toBe(false);
  });

  it('is off without a backup, and with a backup whose variables have no value', () => {
    expect(opinionOf(rpc(''))).toBe(false);
    expect(opinionOf(rpc(backup))).toBe(false);
    expect(opinionOf(rpc(', secondOpinion: false'))).toBe(false);
  });

  it('needs a backup when it is true, and accepts only true and false', () => {
    expect(problemsOf(rpc(', secondOpinion: true'))).toEqual([
      'rpc.secondOpinion: "true" is not valid; the section backup beside it was expected: without it there is no second endpoint',
    ]);
    expect(problemsOf(rpc(`${backup}, secondOpinion: maybe`), withBackup)).toEqual([
      'rpc.secondOpinion: "maybe" is not valid; true or false was expected, for example false',
    ]);
  });
});
