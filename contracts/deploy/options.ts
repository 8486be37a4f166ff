/** The command line of the deployment. */
import { readAddress } from '../../src/config/key-types.js';
import { Redaction } from '../../src/config/redaction.js';
import { closest } from '../../src/config/suggestion.js';
import { StartupError } from '../../src/domain/errors.js';
import type { Address } from '../../src/domain/hex.js';

export interface DeployOptions {
  /** Absent: the file that the bot would read. */
  readonly config?: string | undefined;
  readonly owner: Address;
  readonly treasury: Address;
  /** Empty: the operator of the environment, if there is one. */
  readonly executors: readonly Address[];
  readonly weth?: Address | undefined;
  readonly send: boolean;
}

export const HELP = `npm run deploy:contract -- [options]

  Deploys contracts/src/Chimera.sol, sets the accounts that may use it and the contracts that it may call, and
  verifies what it finds. Run it as often as you like: it only does what is missing. Without --send it sends nothing.

  --owner 0x…       the account that will own the contract; a Safe is recommended (required)
  --treasury 0x…    where all profit goes (required)
  --executor 0x…    the bot's wallet; may be given several times (the address of OPERATOR_PRIVATE_KEY)
  --config FILE     the configuration of the bot (CHIMERA_CONFIG, else config/base.yaml)
  --weth 0x…        the chain's wrapped native coin (0x4200000000000000000000000000000000000006)
  --send            sign and send, with the key in DEPLOYER_PRIVATE_KEY or in the file DEPLOYER_PRIVATE_KEY_FILE names
  --json            print one JSON object
  --help            this text`;

const FLAGS = ['send', 'json', 'help'];
const ONCE = ['config', 'owner', 'treasury', 'weth'];
const OPTIONS = [...FLAGS, ...ONCE, 'executor'];
const ADDRESS = 'an address (0x and 40 hex digits; in mixed case the checksum must be right; not zero)';

interface Words {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly string[];
}

/**
 * @throws StartupError with every mistake at once, one sentence each. No sentence holds what looks like a
 * key.
 */
export function parseOptions(words: readonly string[]): DeployOptions {
  const { values, problems: unread } = split(words);
  const problems = [...unread];
  const named = (name: string): boolean => problems.some((problem) => problem.startsWith(`--${name}:`));

  const addresses = (name: string): Address[] =>
    (values.get(name) ?? []).flatMap((text) => {
      const address = readAddress(text);
      if (address === undefined)
        problems.push(`--${name}: ${new Redaction([]).show(text)} is not valid; ${ADDRESS} was expected`);
      return address ?? [];
    });
  const required = (name: string, what: string): Address | undefined => {
    const [address] = addresses(name);
    if (!values.has(name) && !named(name)) problems.push(`--${name}: is missing; ${what} was expected`);
    return address;
  };

  const owner = required('owner', 'the address of the account that will own the contract');
  const treasury = required('treasury', 'the address that all profit goes to');
  const executors = [...new Set(addresses('executor'))];
  const [weth] = addresses('weth');
  const [config] = values.get('config') ?? [];
  if (problems.length > 0 || owner === undefined || treasury === undefined) throw new StartupError(problems);
  return { config, owner, treasury, executors, weth, send: values.has('send') };
}

/** Names and their values; everything else is a problem. */
function split(words: readonly string[]): Words {
  const values = new Map<string, string[]>();
  const problems: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const [, name = '', inline] = /^--([^=]*)(?:=(.*))?$/s.exec(words[index] ?? '') ?? [];
    if (!OPTIONS.includes(name)) {
      problems.push(unknown(name));
      // The value of an unknown option is skipped with it.
      if (name !== '' && inline === undefined && words[index + 1]?.startsWith('--') === false) index++;
      continue;
    }
    if (FLAGS.includes(name)) {
      if (inline !== undefined) problems.push(`--${name}: takes no value`);
      values.set(name, []);
      continue;
    }
    const next = words[index + 1];
    const value = inline ?? (next?.startsWith('--') ? undefined : next);
    if (inline === undefined && value !== undefined) index++;
    if (!value) problems.push(`--${name}: has no value; write --${name} and what it is to be`);
    else if (ONCE.includes(name) && values.has(name)) problems.push(`--${name}: is given more than once`);
    else values.set(name, [...(values.get(name) ?? []), value]);
  }
  return { values, problems };
}

function unknown(name: string): string {
  if (name === '') return 'the command line: a value stands without an option; see --help';
  const near = closest(name, OPTIONS);
  const shown = new Redaction([]).key(name);
  return `--${shown}: is not a known option; ${near === undefined ? 'see --help' : `did you mean --${near}?`}`;
}
