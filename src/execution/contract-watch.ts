import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { SELECTORS } from '../contract/bindings.js';
import { uintAt, toAddress, type Address, type Hex } from '../domain/hex.js';
import { blockParam, HEAD_NUMBER } from '../rpc/chain/chain-answers.js';
import {
  decodeAggregate3,
  encodeAggregate3,
  MULTICALL3,
  type MulticallResult,
} from '../rpc/chain/multicall3.js';
import { callObject } from '../rpc/chain/simulate.js';
import { RpcPool, type RpcCall } from '../rpc/endpoints/rpc-pool.js';
import { toData } from '../rpc/quantities.js';
import { RpcAnswerError } from '../rpc/rpc-errors.js';
import { SafetyController } from '../safety/index.js';
import { Signer } from './signer.js';

const LOOK_EVERY_MS = 5_000;
/** For one endpoint that answers wrong, or is late: the same must be seen so often in a row. */
const LOOKS = 2;
/** So many looks in a row show blocks before {@link ContractWatch.seenUpTo}: a node lied. */
const LOOKS_BEHIND = 6;

/** What our contract is to the wallet, at the newest block. */
interface Terms {
  readonly isExecutor: boolean;
  readonly paused: boolean;
  readonly owner: Address;
  readonly treasury: Address;
}

/**
 * Looks every 5 s whether our contract still does what the wallet asks (F36): it is not paused, accepts the
 * wallet, and has the owner and the treasury that it had at the start. Every endpoint is asked. What all that
 * answered say twice in a row halts the bot. Nothing is sent meanwhile, because the simulations fail.
 *
 * In a dry run nothing is signed, so it does not look.
 */
@Injectable()
export class ContractWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly contract: Address;
  private readonly isLive: boolean;
  private timer: NodeJS.Timeout | undefined;
  private known: Terms | undefined;
  private looking = false;
  private trouble: string | undefined;
  /** The block of the last look. */
  private seenUpTo = 0;
  /** So many looks in a row showed no block that is not before it. */
  private behind = 0;
  private seen = 0;

  constructor(
    private readonly pool: RpcPool,
    private readonly signer: Signer,
    private readonly safety: SafetyController,
    { execution }: ChimeraConfig,
  ) {
    this.contract = execution.chimera;
    this.isLive = execution.mode === 'live';
  }

  onApplicationBootstrap(): void {
    if (!this.isLive) return;
    void this.look();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Called by the timer. Never throws: an endpoint that does not answer says nothing. */
  async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const heard = await this.pool.batchEach([HEAD_NUMBER, this.termsCall()], ([head, terms]) => ({
        head: answered(head),
        terms: answered(terms),
      }));
      const views = heard.flatMap(({ value }) => (value ? [value] : []));
      // A node that is late shows the past: before the contract was deployed, or while it was paused.
      const recent = views.filter(({ head }) => head >= this.seenUpTo);
      if (recent.length === 0) {
        if (views.length > 0 && ++this.behind >= LOOKS_BEHIND) this.seenUpTo = 0;
        return;
      }
      this.behind = 0;
      this.seenUpTo = Math.min(...recent.map(({ head }) => head));
      await this.judge(recent.map(({ terms }) => terms));
    } finally {
      this.looking = false;
    }
  }

  private async judge(terms: readonly (Terms | 'no contract')[]): Promise<void> {
    const [first] = terms;
    if (!this.known && terms.every((one) => JSON.stringify(one) === JSON.stringify(first)))
      this.known = first === 'no contract' ? undefined : first;
    const problems = new Set(terms.map((one) => this.problemOf(one)));
    const [problem] = problems;
    // Endpoints that differ prove nothing: one of them is late, or wrong.
    if (problems.size > 1) {
      this.trouble = undefined;
      return;
    }
    this.seen = problem !== undefined && problem === this.trouble ? this.seen + 1 : 1;
    this.trouble = problem;
    if (problem !== undefined && this.seen >= LOOKS) await this.safety.raise('contract', 'HALTED', problem);
  }

  private problemOf(terms: Terms | 'no contract'): string | undefined {
    const at = `the contract ${this.contract}`;
    if (terms === 'no contract') return `${at} does not answer: it is gone, or another contract`;
    if (terms.paused) return `${at} is paused; its owner has to call unpause`;
    if (!terms.isExecutor)
      return `${at} does not accept the wallet ${this.signer.address}; its owner has to call setExecutor`;
    const { owner, treasury } = this.known ?? terms;
    if (terms.owner !== owner) return `${at} has another owner: ${terms.owner} instead of ${owner}`;
    if (terms.treasury !== treasury)
      return `${at} pays another treasury: ${terms.treasury} instead of ${treasury}`;
    return undefined;
  }

  /** All in one call, because each call of a batch counts. */
  private termsCall(): RpcCall<Terms | 'no contract'> {
    const wallet = this.signer.address.slice(2).padStart(64, '0');
    const questions: readonly Hex[] = [
      `${SELECTORS.isExecutor}${wallet}`,
      ...[SELECTORS.paused, SELECTORS.owner, SELECTORS.treasury],
    ];
    const data = encodeAggregate3(questions.map((question) => ({ to: this.contract, data: question })));
    return {
      method: 'eth_call',
      params: [callObject({ to: MULTICALL3, data }), blockParam('latest')],
      parse: (raw) => termsFrom(decodeAggregate3(toData(raw), questions.length)),
    };
  }
}

/** @throws RpcAnswerError when the node refused. */
function answered<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}

function termsFrom(results: readonly MulticallResult[]): Terms | 'no contract' {
  const words = results.map(({ success, data }) =>
    success && data.length === 66 ? uintAt(data, 0) : undefined,
  );
  const [isExecutor, paused, owner, treasury] = words;
  if (isExecutor === undefined || paused === undefined || owner === undefined || treasury === undefined)
    return 'no contract';
  const addressOf = (word: bigint): Address => toAddress(`0x${word.toString(16).padStart(40, '0')}`);
  return {
    isExecutor: isExecutor === 1n,
    paused: paused !== 0n,
    owner: addressOf(owner),
    treasury: addressOf(treasury),
  };
}
