import type { RegisteredCommand } from './registered.js';

export const SHELLS = ['bash', 'zsh'] as const;

/** What may follow the words that were typed, as a script to source. zsh runs the one of bash. */
export function completionScript(
  shell: (typeof SHELLS)[number],
  commands: readonly RegisteredCommand[],
): string {
  const follows = new Map<string, Set<string>>();
  const add = (typed: string, next: string): void => {
    follows.set(typed, (follows.get(typed) ?? new Set()).add(next));
  };
  for (const { words, options } of commands) {
    const parts = words.split(' ');
    parts.forEach((word, index) => add(parts.slice(0, index).join(' '), word));
    for (const name of [...options.map((option) => option.name), '--help']) add(words, name);
  }
  for (const one of SHELLS) add('completion', one);
  const cases = [...follows].map(([typed, next]) => `    "${typed}") words="${[...next].join(' ')}" ;;`);
  return [
    ...(shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_chimera() {',
    '  local first=1 typed="" words="" word',
    '  COMPREPLY=()',
    '  if [ "${COMP_WORDS[0]}" = npx ]; then',
    '    [ "${COMP_WORDS[1]}" = chimera ] || return 0',
    '    first=2',
    '  fi',
    '  for word in "${COMP_WORDS[@]:$first:$((COMP_CWORD - first))}"; do',
    '    case "$word" in -*) break ;; esac',
    '    typed="${typed:+$typed }$word"',
    '  done',
    '  case "$typed" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _chimera chimera npx',
  ].join('\n');
}
