/** What a person reads of an event, on a terminal and in the demo: one sentence with its figures. */
import type { BotEvent, EventNamed } from '../../domain/events/events.js';
import { FEED_KINDS, type FeedKind } from '../../domain/feed-kinds.js';
import { duration, many, percent, ratio, signedUsd, tokens, usd } from './figures.js';

/** How a borrower is called. @param marketId where the contract has several markets */
export type Named = (borrower: string, marketId?: string) => string;

type Sentence<Name extends BotEvent['event']> = (event: EventNamed<Name>, who: Named) => string;

/** Every event has a sentence, except those that are never logged. */
const SENTENCES: {
  readonly [
    Name in Exclude<BotEvent['event'], 'backfill-range' | 'rpc-request' | 'stages-timed'>
  ]: Sentence<Name>;
} = {
  // The loop.
  'bot-started': ({ mode, chainId, block, positions }) =>
    `the bot is ${mode} on chain ${chainId} from block ${block} on, with ${many(positions, 'position')}`,
  'bot-stopping': ({ inFlight }) => `with ${many(inFlight, 'transaction')} in flight`,
  'unhandled-error': ({ message }) => `${message}; the bot halts and ends`,
  'api-listening': ({ url }) => `at ${url}`,
  pass: ({ block, positions, liquidatable, planned, tookMs }) =>
    `block ${block}: ${liquidatable} of ${many(positions, 'position')} below 1, ${planned} planned, in ${duration(tookMs)}`,
  'pass-failed': ({ block, consequence, message }) =>
    `${block === undefined ? '' : `block ${block}: `}${message} (${consequence})`,
  'position-skipped': ({ block, borrower, marketId, healthFactorWad, explanation, reason }, who) =>
    `block ${block}: ${who(borrower, marketId)} at HF ${healthFactorWad === undefined ? 'unknown' : ratio(healthFactorWad)} left: ${explanation} (${reason})`,
  'positions-waiting': ({ block, counts }) => `block ${block}: ${listed(counts)}`,
  'plan-ready': (event, who) =>
    `block ${event.block}: ${who(event.borrower, event.marketId)} at HF ${ratio(event.healthFactorWad)}: repay ` +
    tokens(event.debtToCover, event.debtDecimals, event.debt) +
    // The dollars are those of all liquidations, the tokens those of the first.
    (event.liquidations > 1
      ? ` for ${event.collateral} (${event.sizing}) and ${event.liquidations - 1} more, ${usd(event.notionalUsd8)} in all`
      : ` (${usd(event.notionalUsd8)}) for ${event.collateral} (${event.sizing})`) +
    `, paid by ${event.funding}; ` +
    `simulated ${signedUsd(event.netProfitUsd8)} after costs and a bid of ${usd(event.bidUsd8)}`,
  'lines-left-out': ({ of, reason, lines }) =>
    `${many(lines, 'line')} of ${of}${reason === undefined ? '' : ` (${reason})`} in the last minute`,
  'metrics-export-failed': ({ message }) => message,
  'metrics-export-back': () => 'metrics arrive again',
  metrics: ({ counters }) => listed(counters),

  // What becomes of a plan.
  'lease-acquired': ({ wallet, epoch }) => `this process signs for ${wallet} (epoch ${epoch})`,
  'lease-lost': ({ wallet, reason }) => `this process signs no more for ${wallet}: ${reason}`,
  'standing-by': ({ wallet, holder }) => `${holder} signs for ${wallet}; this process waits`,
  'dry-run': ({ block, borrower, marketId, executionId }, who) =>
    `block ${block}: ${who(borrower, marketId)}: nothing is sent (execution ${executionId})`,
  'transaction-sent': ({ borrower, hash, door, headToSendUs }, who) =>
    `${who(borrower)}: ${hash} by ${door}, ${duration(headToSendUs / 1_000)} after the head`,
  'execution-settled': (event, who) =>
    event.status === 'succeeded'
      ? `block ${String(event.block)}: ${who(event.borrower)}: realised ${signedUsd(event.realisedProfitUsd8 ?? '0')} (simulated ${signedUsd(event.simulatedNetProfitUsd8)})`
      : `${who(event.borrower)}: ${event.status}, ${event.outcome}: ${event.reason ?? 'no reason known'}${rivalText(event.rival)}`,
  'execution-reopened': ({ borrower, was, block }, who) =>
    `${who(borrower)}: block ${block} is gone from the chain; its transaction, which had ${was}, is in flight again`,
  'transaction-unanswered': ({ hash, message }) => `${hash}: no node said whether it took it: ${message}`,
  'transaction-refused-again': ({ hash, message }) => `${hash}: ${message}; it stays in flight`,
  'transaction-replaced': ({ kind, nonce, hash, reason }) =>
    `${kind === 'bump' ? 'higher fees' : 'a cancellation'} under nonce ${nonce}: ${hash}: ${reason}`,
  'receipt-disputed': ({ executionId }) =>
    `two endpoints have different receipts of execution ${executionId}; it stays in flight`,
  'transaction-count-disputed': ({ lowest, highest }) =>
    `endpoints count ${lowest} to ${highest} transactions of the operator wallet`,
  'transaction-not-saved': ({ hash, message }) => `${hash}: ${message}; it is written later`,
  'second-opinion-unavailable': ({ block, message }) => `block ${block}: planned on one endpoint: ${message}`,
  'drain-failed': ({ message }) => message,
  'bid-share-reviewed': ({ fromBps, toBps, sent, won, reason }) =>
    `from ${percent(fromBps)} to ${percent(toBps)} of the gross profit: ${won} of ${sent} won; ${reason}`,
  'left-in-flight': ({ transactions }) => `${many(transactions, 'transaction')}; the next start settles them`,

  // Safety and time.
  'safety-not-saved': ({ message }) => `the state holds in memory only: ${message}`,
  'safety-changed': ({ from, to, reason, actor }) => `${from} → ${to} by ${actor}: ${reason}`,
  concern: ({ change, cause, state, reason }) =>
    change === 'raised' ? `${cause} asks for ${state}: ${reason}` : `${cause} is over`,
  'sequencer-anomaly': ({ kind, message }) => `${kind}: ${message}`,
  'sequencer-well': ({ block }) => `the heads are fresh again, from block ${block} on`,
  'block-time-not-believed': ({ message }) => message,
  'clock-off': ({ wrong, offByMs }) => `the clock of the ${wrong} is wrong by ${duration(Math.abs(offByMs))}`,
  'clock-well': () => 'clocks and chain agree again',

  // Positions, prices and pools.
  backfill: ({ market, atBlock, toBlock, downTo, borrowers, etaSeconds }) =>
    `${market}: ${downTo === undefined ? `at block ${atBlock} of ${toBlock}` : `from block ${toBlock} down to ${downTo}`}, ${many(borrowers, 'borrower')}${etaSeconds === undefined ? '' : `, ${duration(etaSeconds * 1_000)} to go`}`,
  'backfill-finished': ({ market, borrowers, tookMs }) =>
    `${market}: the search found ${many(borrowers, 'borrower')} in ${duration(tookMs)}`,
  'backfill-paused': ({ market, pauseMs, message }) => `${market}: for ${duration(pauseMs)}: ${message}`,
  'checkpoint-not-saved': ({ market, message }) => `${market}: ${message}; the next block tries again`,
  'market-refused': ({ market, reason }) => `${market} is left alone: ${reason}`,
  'market-unpriced': ({ market, pair, reason, marketId }) => `${market}: ${pair} (${marketId}): ${reason}`,
  'markets-served': ({ market, served, unserved }) =>
    `${market}: ${many(served, 'market')}${Object.keys(unserved).length === 0 ? '' : `; not: ${listed(unserved)}`}`,
  'positions-incomplete': ({ market, block, missing }) =>
    `${market}: block ${block}: ${missing.map(({ symbol, known, total }) => `${known} of ${total} ${symbol} of debt known`).join(', ')}`,
  'positions-complete': ({ market, block }) =>
    `${market}: block ${block}: the known positions owe all of the debt`,
  'positions-suspected': ({ market, block, accounts }) =>
    `${market}: block ${block}: looked at again: ${accounts.join(', ')}`,
  divergence: ({ protocol, account, block, detail }, who) =>
    `${protocol}: block ${block}: ${who(account)} is set aside: ${listed(detail)}`,
  'position-released': ({ protocol, account, block }, who) =>
    `${protocol}: block ${block}: ${who(account)} is served again`,
  'price-differs': ({ protocol, asset, block, oursUsd8, chainUsd8 }) =>
    `${protocol}: block ${block}: ${asset}: ours ${usd(oursUsd8)}, the oracle ${usd(chainUsd8)} (${oursUsd8}, ${chainUsd8})`,
  'native-price-kept': ({ ageSeconds }) =>
    `the feed gives none; one that is ${duration(ageSeconds * 1_000)} old is used`,
  'native-price-back': ({ ageSeconds }) => `the feed gives one again, ${duration(ageSeconds * 1_000)} old`,
  'feeds-found': ({ market, debtUsd8, kinds }) =>
    `${market}: the prices of ${usd(debtUsd8)} of debt come from ${kindsText(kinds)}`,
  'feeds-not-read': ({ message }) => message,
  'pools-found': ({ followed, leftOut }) => `${many(followed, 'pool')}, and ${leftOut} too small ones`,
  'pools-read': ({ pools }) => `${many(pools, 'pool')} to sell through`,
  'pools-not-read': ({ message }) => message,
  'pool-differs': ({ pool, kind }) => `${kind} ${pool} is read again`,

  // Endpoints and stores.
  'heads-silent': ({ silentMs }) => `no head for ${duration(silentMs)}; the latest block is polled`,
  'heads-resumed': () => 'a WebSocket gives heads again',
  'history-left-to-nodes': ({ fromBlock, toBlock, reason }) =>
    `blocks ${fromBlock} to ${toBlock} from a node: ${reason}`,
  'history-distrusted': ({ reason }) => `only nodes are asked from now on: ${reason}`,
  'head-poll-failed': ({ reason }) => reason,
  'head-not-believed': ({ endpoint, block, known }) =>
    `${endpoint ?? 'a node'} says block ${block} after block ${known}`,
  'logs-not-believed': ({ endpoint, block }) => `${endpoint} has a log that block ${block} does not hold`,
  'head-handler-failed': ({ block, reason }) => `block ${block}: ${reason}`,
  'websocket-lost': ({ endpoint, reason }) => `${endpoint}: ${reason}`,
  'websocket-restored': ({ endpoint }) => `${endpoint} gives heads again`,
  'websocket-message-ignored': ({ endpoint, message, reason }) => `${endpoint}: a ${message}: ${reason}`,
  'log-subscription-refused': ({ endpoint }) => `${endpoint} gives heads and no logs`,
  'database-lost': ({ message }) => message,
  'database-back': () => 'the database answers again',
  'writes-dropped': ({ kind, dropped }) => `${many(dropped, `row`)} of ${kind}s since the start`,
  'writes-caught-up': ({ written }) => `${many(written, 'row')} written that had waited`,
  'migrations-run': ({ names }) => names.join(', '),
  'embedded-database': ({ message }) => message,
  'cache-lost': ({ message }) => message,
  'cache-back': () => 'Redis answers again',

  // Operators, and what they are told.
  'alert-raised': ({ severity, title, text, repeat }) =>
    `${severity}: ${title}: ${text}${repeat > 0 ? ` (said ${repeat + 1} times)` : ''}`,
  'alert-resolved': ({ severity, title, lastedMs }) => `${severity}: ${title}, after ${duration(lastedMs)}`,
  'alert-acknowledged': ({ rule, actor }) => `${rule} by ${actor}`,
  'alert-sent': ({ channel, key, latencyMs }) => `${key} by ${channel} in ${duration(latencyMs)}`,
  'alert-failed': ({ channel, key, reason, retryInMs }) =>
    `${key} by ${channel}: ${reason}; ${retryInMs === undefined ? 'given up' : `again in ${duration(retryInMs)}`}`,
  'telegram-listening': ({ bot, dropped }) =>
    `orders to ${bot} are taken${dropped > 0 ? `; ${many(dropped, 'older update')} dropped` : ''}`,
  'telegram-lost': ({ reason, retryInMs }) => `${reason}; again in ${duration(retryInMs)}`,
  'telegram-ignored': ({ chat, user, count }) =>
    `${many(count, 'order')} of strangers, the last of user ${user} in chat ${chat}`,
  'telegram-order': ({ order, actor }) => `/${order} by ${actor}`,
  'telegram-answer-lost': ({ chat, reason }) => `to chat ${chat}: ${reason}`,
  'api-key-refused': ({ from }) => `from ${from}`,
  'api-role-refused': ({ key, role, needed, request, from }) =>
    `${request} by ${key} from ${from}: ${needed} is needed, the key is ${role}`,
  'secrets-read': ({ aws, files, variables, unused }) =>
    listedNames({ 'from AWS': aws, 'from files': files, 'from variables': variables, 'not used': unused }),
  'secrets-reread': ({ changed, needStart, problems }) =>
    listedNames({ changed, 'at the next start': needStart, problems }),
};

/** The sentence of an event; undefined for what is not one, or has none. */
export function sentenceOf(event: { readonly event: string }, who: Named): string | undefined {
  if (!Object.hasOwn(SENTENCES, event.event)) return undefined;
  // The table gives each name the function for its own events.
  const sentence = SENTENCES[event.event as keyof typeof SENTENCES] as Sentence<BotEvent['event']>;
  return sentence(event as BotEvent, who);
}

/** How feeds of each kind are called: one of them, several. */
const FEEDS: Readonly<Record<FeedKind, readonly [one: string, several: string]>> = {
  svr: ['auctioned feed (SVR)', 'auctioned feeds (SVR)'],
  'oev-wrapper': ['withheld feed (OEV wrapper)', 'withheld feeds (OEV wrapper)'],
  unknown: ['feed of unknown kind', 'feeds of unknown kind'],
  public: ['public feed', 'public feeds'],
};

/** "1 auctioned feed (SVR) with 23.4 % of the debt, 3 public feeds with 76.6 %". */
function kindsText(kinds: EventNamed<'feeds-found'>['kinds']): string {
  const present = FEED_KINDS.map((kind) => [kind, kinds[kind]] as const).filter(([, { feeds }]) => feeds > 0);
  return present
    .map(([kind, { feeds, debtBps }], index) => {
      const share = `${(debtBps / 100).toFixed(1)} %${index === 0 ? ' of the debt' : ''}`;
      const [one, several] = FEEDS[kind];
      return `${feeds} ${feeds === 1 ? one : several} with ${share}`;
    })
    .join(', ');
}

function rivalText(rival: EventNamed<'execution-settled'>['rival']): string {
  if (rival === undefined || rival === 'unknown') return '';
  const when =
    rival.placesEarlier === undefined
      ? `${many(rival.blocksEarlier, 'block')} earlier`
      : `${many(rival.placesEarlier, 'place')} earlier`;
  return `; ${rival.sender} was ${when} (${rival.hash})`;
}

function listed(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function listedNames(lists: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(lists)
    .filter(([, names]) => names.length > 0)
    .map(([name, names]) => `${name}: ${names.join(', ')}`)
    .join('; ');
}
