/** What a key of the configuration is, for people: the reference and the JSON Schema are made of it. */
export interface KeyWords {
  /** One sentence, with links relative to docs/. */
  readonly what: string;
  /** What holds where the key is absent and has no default value. */
  readonly without?: string;
}

/** By the path of the key, as {@link schemaKeys} gives it. `execution.paths` stands for all of its keys. */
export const KEY_WORDS: Readonly<Record<string, KeyWords>> = {
  'network.name': { what: "the chain's name, for logs and the API" },
  'network.chainId': { what: 'every endpoint must answer this chain id' },
  'rpc.primary.http': { what: 'the endpoint that is asked first' },
  'rpc.primary.ws': {
    without: 'none',
    what: 'its WebSocket; without any, the latest block is polled over HTTP',
  },
  'rpc.backup.http': { without: 'no backup', what: 'asked when the primary does not serve' },
  'rpc.backup.ws': { without: 'none', what: 'its WebSocket, listened to beside that of the primary' },
  'rpc.archive.http': { without: 'no archive', what: 'asked for old logs' },
  'rpc.hypersync.url': {
    without: 'no HyperSync',
    what: 'Envio HyperSync, asked for old logs before a node, for example https://base.hypersync.xyz',
  },
  'rpc.hypersync.token': { without: 'no HyperSync', what: 'its API token: `${RPC_HYPERSYNC_TOKEN}`' },
  'rpc.secondOpinion': {
    without: '`true` with a backup',
    what: 'plans need both endpoints to agree; they wait while one is silent',
  },
  'database.embedded': { without: '`false`', what: '`true`: the bot runs a PostgreSQL of its own' },
  'database.dataDir': { what: 'its directory; only with `embedded`' },
  'database.host': { what: 'a PostgreSQL server; without `embedded`' },
  'database.port': { what: 'its port; user and password are `DB_USER` and `DB_PASSWORD`' },
  'database.name': { what: 'its database' },
  'database.ssl': { what: '`require`: encrypted; `verify-full`: encrypted, and the server proves who it is' },
  'database.sslCa': {
    without: "Node's own list",
    what: "the file of the authority that signed the server's certificate; only with `verify-full`",
  },
  'journal.dir': {
    what: 'where the bot keeps what it cannot write to the database; on a local disk that is kept',
  },
  'redis.host': { without: 'no Redis', what: 'a cache; without Redis the cache is in memory' },
  'redis.port': { what: 'its port; the password is `REDIS_PASSWORD`' },
  'redis.db': { what: 'its database number' },
  'protocols[].name': { what: "the market's name in logs and rows" },
  'protocols[].kind': { what: '`aave-v3`, `morpho-blue`, or `compound-v2` for Compound v2 and Moonwell' },
  'protocols[].addressesProvider': { what: "`aave-v3`: the market's PoolAddressesProvider" },
  'protocols[].comptroller': { what: '`compound-v2`: the Comptroller of the markets' },
  'protocols[].fromBlock': { what: 'the first block of the search for borrowers' },
  'protocols[].morpho': { what: 'Morpho Blue (only with `morpho-blue`, as the rows below)' },
  'protocols[].adaptiveCurveIrm': { what: 'its AdaptiveCurveIrm, whose interest is computed' },
  'protocols[].preLiquidationFactory': {
    without: 'none',
    what: "its PreLiquidationFactory, whose contracts may take a part of a position below the market's limit",
  },
  'protocols[].preLiquidationFromBlock': {
    what: 'the first block of the search for these contracts, when it is later than `fromBlock`',
  },
  'protocols[].feeds[].token': {
    what: 'a loan token that neither the native feed nor another configured market prices; without a price its markets are left alone',
  },
  'protocols[].feeds[].feed': { what: 'the Chainlink feed of the token in USD, with 8 decimals' },
  'protocols[].markets': { without: 'all', what: 'only these markets, by their ids' },
  'protocols[].denyMarkets': { without: 'none', what: 'none of these markets' },
  'protocols[].loanTokens': { without: 'all with a price', what: 'only markets of these loan tokens' },
  'protocols[].minMarketUsd': { what: 'a market in which less is borrowed is left alone' },
  'protocols[].oracles': { what: '`feeds`: only markets with a Chainlink-based oracle of Morpho' },
  'oracles.nativeUsdFeed': { what: 'the Chainlink feed of the native token in USD' },
  'oracles.maxMovePerBlockBps': { what: 'a price that moves more in one block is not acted on' },
  'oracles.maxAgeSeconds': { what: 'an older price is not acted on' },
  'liquidity.uniswapV3.factory': { what: 'must be the factory of the contract' },
  'liquidity.factories[].name': { what: 'the name of its pools in routes and rows' },
  'liquidity.factories[].kind': { what: '`slipstream`, `pancake-v3` or `solidly` (Aerodrome v2)' },
  'liquidity.factories[].factory': { what: 'listed when the contract is deployed' },
  'liquidity.hubs': { what: 'tokens of no market over which routes may lead' },
  'liquidity.minPoolUsd': {
    what: 'a pool that holds less is left out, and looked at again every ten minutes',
  },
  'liquidity.flash.morpho': {
    without: 'none',
    what: 'Morpho Blue, which lends without a fee; listed when the contract is deployed',
  },
  'liquidity.flash.aavePool': {
    without: 'none',
    what: 'a pool of Aave v3, also that of a market: it lends for a premium; listed likewise',
  },
  'liquidity.flash.balancerVault': { without: 'none', what: 'the vault of Balancer v2; listed likewise' },
  'liquidity.flash.balancerV3Vault': { without: 'none', what: 'the vault of Balancer v3; listed likewise' },
  'liquidity.wrappers[].token': {
    what: 'collateral that is taken apart to be sold: shares of a vault, wstETH and its like; listed likewise',
  },
  'liquidity.wrappers[].kind': { what: '`erc4626` (redeemed) or `wsteth` (unwrapped)' },
  'detector.scanIntervalMs': { what: 'a pass starts at least this often, also without a new head' },
  'detector.confirmationBlocks': { what: 'blocks after which an outcome is booked' },
  'detector.watchBelowHealthFactor': { what: 'positions below it are compared with the chain first' },
  'planner.minProfitUsd': { what: 'the floor; enforced on chain as well' },
  'planner.slippageBps': { what: 'how much worse than simulated the swap may be' },
  'planner.bidModel': {
    what: 'how bids are made: `by-size`, `by-inclusion` or `least-that-wins` ([docs/bids.md](bids.md))',
  },
  'planner.baseBribeBps': { what: 'the bid at the floor, as a share of the margin' },
  'planner.maxBribeBps': { what: 'the bid at ten times the floor and above; linear in between' },
  'planner.maxBlockGasShareBps': {
    what: "the share of a block's gas that our gas limits in it may take together; the rest comes in a later block",
  },
  'safety.tier': {
    what: 'the step of the two limits below: 1 (500 and 2,500 USD), 2 (1,000 and 5,000), 3 (2,500 and 12,500), 4 (5,000 and 25,000)',
  },
  'safety.maxSingleExecutionUsd': { without: 'of the tier', what: 'the most debt that one execution repays' },
  'safety.maxDailyVolumeUsd': { without: 'of the tier', what: 'the most debt that is repaid in one UTC day' },
  'safety.maxConsecutiveFailures': { what: 'so many failures in a row halt' },
  'safety.minOperatorBalanceEth': { what: 'nothing is sent when the wallet holds less' },
  'safety.maxFeePerTransactionEth': {
    what: 'the most that one transaction may pay in fees; the bid is lowered to fit',
  },
  'safety.maxDailyFeeEth': { what: 'the most that all transactions may pay in fees in one UTC day' },
  'safety.maxDailyLossUsd': {
    what: 'the most that may be lost in one UTC day; what is in flight counts as if it reverted',
  },
  'safety.maxWalletShareBps': { what: 'the share of the wallet that everything in flight may pay together' },
  'safety.maxTimestampJumpSeconds': { what: 'a longer time from one block to the next halts' },
  'safety.maxHeadAgeSeconds': { what: 'when the newest block is older, the bot throttles' },
  'safety.haltHeadAgeSeconds': { what: 'when the newest block is older, the bot halts' },
  'safety.haltDatabaseAwaySeconds': {
    what: 'when the database is away for longer, the bot halts; while it is away, nothing is signed',
  },
  'safety.resumeAfterSeconds': {
    what: 'a halt by an outage of the chain or of all endpoints ends when all was well for so long; `0`: an operator ends it',
  },
  'safety.maxPassErrors': {
    what: 'so many failed passes in a row, at least a second apart, halt; endpoints that are away do not count',
  },
  'safety.throttledInFlight': { what: 'while THROTTLED: transactions in flight at a time' },
  'safety.throttledSkipBps': { what: 'while THROTTLED: the share of the positions that is left alone' },
  'safety.minRateSample': { what: 'the two rates count from so many executions on' },
  'safety.throttleInclusionBps': { what: 'throttles when less of what was sent did what it should' },
  'safety.haltInclusionBps': { what: 'halts when less of it did, lost races not counted' },
  'safety.lostRaceWeightBps': {
    what: 'how much a lost race counts in the first of these two; all else counts 10000',
  },
  'safety.throttleAccuracyBps': { what: 'throttles when those won realised less of the simulated profit' },
  'safety.haltAccuracyBps': { what: 'halts when they realised less' },
  'execution.mode': { what: '`live` signs and sends' },
  'execution.chimera': { what: 'the address of the deployed contract' },
  'execution.maxPlanAgeMs': {
    what: 'a plan that is older than this when it is to be signed is not signed; the next block makes a new one',
  },
  'execution.maxInFlight': {
    what: 'the most transactions in flight at a time; losses lower the number, wins raise it',
  },
  'execution.paths': {
    without: 'one public path',
    what: 'how transactions reach a block: one `public` path, or one `private` ([a relay](operating.md#a-private-relay))',
  },
  'execution.allowPublicMempool': {
    what: '`true`: a live bot may send through a public mempool (Ethereum), where rivals see it',
  },
  'monitoring.exportIntervalMs': { what: 'how often counters are logged, and metrics go to CloudWatch' },
  'monitoring.metrics': { what: 'whether `GET /metrics` is served for Prometheus' },
  'monitoring.cloudwatch.region': {
    without: 'no CloudWatch',
    what: 'the AWS region that metrics are sent to',
  },
  'monitoring.cloudwatch.namespace': { what: 'their namespace' },
  'monitoring.cloudwatch.dimensions[].name': { without: 'none', what: 'added to every metric: the name' },
  'monitoring.cloudwatch.dimensions[].value': { what: 'and its value' },
  'monitoring.logLevel': { what: '`debug`, `info`, `warn` or `error`; the variable `LOG_LEVEL` wins' },
  'monitoring.logFormat': { what: '`auto`, `json` or `pretty`; the variable `LOG_FORMAT` wins' },
  'alerts.runbook': { what: 'where your copy of the runbook is; each message names its section' },
  'alerts.escalateAfterMinutes': {
    what: 'an alert without an acknowledgement is repeated after this time; 0: never',
  },
  'alerts.quietHours.from': { without: 'no quiet hours', what: "`'22:00'`: LOW messages wait from then" },
  'alerts.quietHours.to': { what: "`'07:00'`: until then" },
  'alerts.quietHours.timeZone': { what: 'for example `Europe/Berlin`' },
  'alerts.reportHour': { what: 'the hour (UTC) from which on the report of the day before is sent' },
  'alerts.control.enabled': {
    without: 'no orders over Telegram',
    what: '`true`: listed people may look, halt and resume over Telegram; [docs/telegram.md](telegram.md)',
  },
  'alerts.control.channel': { what: 'the channel of kind `telegram` whose bot takes the orders' },
  'alerts.control.chats': { what: 'ids of the chats from which orders count' },
  'alerts.control.users': { what: 'ids of the users whose orders count, in these chats' },
  'alerts.channels[].name': { without: 'no channel', what: 'its name in the log and the status' },
  'alerts.channels[].kind': {
    what: '`sns`, `pagerduty`, `email`, `slack`, `telegram` or `webhook`; [docs/alerts.md](alerts.md)',
  },
  'alerts.channels[].severities': { what: 'what it is told' },
  'alerts.channels[].for': { what: '`alerts` (trouble), `notifications` (wins and reports) or `all`' },
  'alerts.channels[].topicArn': { what: '`sns`: the topic' },
  'alerts.channels[].url': { what: '`pagerduty`: of the service region' },
  'alerts.channels[].host': { what: '`email`: the mail server' },
  'alerts.channels[].port': { what: '`email`: its port' },
  'alerts.channels[].tls': { what: '`email`: `starttls`, or `implicit` for port 465' },
  'alerts.channels[].user': {
    without: 'no login',
    what: '`email`: the account; its password is `SMTP_PASSWORD`',
  },
  'alerts.channels[].from': { what: '`email`: the sender' },
  'alerts.channels[].to': { what: '`email`: the recipients, a list' },
  'alerts.channels[].chatId': { what: '`telegram`: the chat' },
  'alerts.channels[].apiRoot': { what: '`telegram`: of a Bot API server of your own' },
  'api.host': { what: 'where the operator API listens' },
  'api.port': { what: 'its port; 0: any free port' },
  'api.allowedHosts': {
    without: 'none',
    what: 'further names under which the API may be reached, with commas between them',
  },
  'api.keys[].name': { without: 'no key', what: 'written to the audit trail' },
  'api.keys[].role': { what: '`viewer` or `operator`' },
  'api.keys[].sha256': { what: "`printf %s 'your key' | sha256sum`" },
};
