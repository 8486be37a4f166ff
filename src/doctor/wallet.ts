import { computeAddress } from 'ethers';
import type { ChimeraConfig } from '../config/index.js';
import { toAddress, type Address } from '../domain/hex.js';
import { formatUnits, formatUsd8 } from '../domain/money.js';
import type { Chain } from '../rpc/chain/chain.js';
import { checkOperator } from '../preflight/preflight.js';
import { problem, unless, warning, well, type Check } from './finding.js';

export interface WalletAt {
  readonly config: ChimeraConfig;
  readonly chain: Chain;
}

/** Such a wallet pays for fewer than these: one bad hour empties it. */
const FEW_TRANSACTIONS = 5n;

/** The account of the configured key; undefined without one. */
export function walletOf({ environment }: Pick<ChimeraConfig, 'environment'>): Address | undefined {
  const key = environment.operatorPrivateKey;
  return key && toAddress(computeAddress(key.reveal()));
}

/** Of an account that is known. */
const known =
  (look: (wallet: Address, at: WalletAt) => ReturnType<Check<WalletAt>['look']>): Check<WalletAt>['look'] =>
  (at) => {
    const wallet = walletOf(at.config);
    return wallet ? look(wallet, at) : { verdict: 'skipped', found: 'there is no key' };
  };

export const WALLET: readonly Check<WalletAt>[] = [
  {
    name: 'balance',
    look: async ({ chain, config }) => {
      const { address, problems } = await checkOperator(chain, config);
      return unless(problems, `${String(address)} holds enough ether`);
    },
  },
  {
    name: 'balance and limits',
    look: known(async (wallet, { chain, config: { safety } }) => {
      const balance = await chain.getBalance(wallet);
      const { maxFeePerTransactionWei, maxDailyFeeWei } = safety;
      const count = balance / maxFeePerTransactionWei;
      const found = `${eth(balance)} ETH pays for ${count} transactions at safety.maxFeePerTransactionEth (${eth(maxFeePerTransactionWei)} ETH each)`;
      if (count < FEW_TRANSACTIONS)
        return warning(
          found,
          'fund the wallet, or lower safety.maxFeePerTransactionEth: larger bids are refused',
        );
      return balance >= maxDailyFeeWei
        ? well(found)
        : warning(
            `${found}, less than safety.maxDailyFeeEth (${eth(maxDailyFeeWei)} ETH)`,
            'fund the wallet, or lower safety.maxDailyFeeEth: the wallet ends before the limit does',
          );
    }),
  },
  {
    name: 'code of the wallet',
    look: known(async (wallet, { chain }) =>
      (await chain.getCode(wallet)) === '0x'
        ? well('it is a plain account')
        : warning(
            'the wallet has code (EIP-7702): nodes keep only few of its transactions',
            'end the delegation, or take a fresh key',
          ),
    ),
  },
  {
    name: 'transactions in the air',
    look: known(async (wallet, { chain }) => {
      const [mined, pending] = await Promise.all([
        chain.getTransactionCount(wallet, 'latest'),
        chain.getTransactionCount(wallet, 'pending'),
      ]);
      return pending <= mined
        ? well(`none; the next nonce is ${mined}`)
        : warning(
            `${pending - mined} transactions of the wallet are not mined`,
            'they are of a running bot, or of another program with the same key, which halts the bot',
          );
    }),
  },
  {
    name: 'what the key can lose',
    look: known(async (wallet, { chain, config: { safety } }) => {
      const balance = await chain.getBalance(wallet);
      if (balance === 0n) return problem('the wallet is empty', 'send it ether');
      const { maxDailyFeeWei, maxDailyLossUsd8 } = safety;
      return well(
        `a thief of the key takes the ${eth(balance)} ETH of the wallet, and nothing of the treasury; the bot itself pays at most ${eth(maxDailyFeeWei)} ETH of fees a day, and loses at most ${formatUsd8(maxDailyLossUsd8)} USD`,
      );
    }),
  },
];

function eth(wei: bigint): string {
  return formatUnits(wei, 18);
}
