/* eslint max-lines: off, max-len: off */
/** Written by `npm run generate:api` from the answers' types. Do not edit: change the types instead. */
import type { OpenAPIObject } from '@nestjs/swagger';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

export const ANSWER_SCHEMAS = {
  AlertAnswer: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      rule: { type: 'string', description: 'The rule that found it, and its section in the runbook.' },
      severity: { type: 'string' },
      title: { type: 'string' },
      text: { type: 'string' },
      since: { type: 'string' },
      repeats: {
        type: 'number',
        description: 'How often it was repeated, because nobody had acknowledged it.',
      },
      told: { type: 'boolean', description: 'False: it was left out in a storm.' },
      acknowledgedBy: { type: ['string', 'null'] },
      acknowledgedAt: { type: ['string', 'null'] },
    },
    required: [
      'id',
      'rule',
      'severity',
      'title',
      'text',
      'since',
      'repeats',
      'told',
      'acknowledgedBy',
      'acknowledgedAt',
    ],
    description: 'An alert that lasts.',
  },
  AlertsAnswer: {
    type: 'object',
    properties: {
      active: { type: 'number' },
      channels: { type: 'array', items: { $ref: '#/components/schemas/ChannelAnswer' } },
      notStoredBecause: {
        type: ['string', 'null'],
        description: 'Why a message that is not delivered yet would not survive a crash; null when it would.',
      },
    },
    required: ['active', 'channels', 'notStoredBecause'],
    description: 'What lasts (GET /api/v1/alerts lists it), and whether it reaches the operators.',
  },
  AlertsPage: {
    type: 'object',
    properties: { alerts: { type: 'array', items: { $ref: '#/components/schemas/AlertAnswer' } } },
    required: ['alerts'],
    description: 'All that lasts.',
  },
  BidLevelAnswer: {
    type: 'object',
    properties: {
      tipGwei: { type: ['string', 'null'] },
      rivalTipGwei: { type: ['string', 'null'] },
      won: { type: 'number' },
      lost: { type: 'number' },
    },
    required: ['tipGwei', 'rivalTipGwei', 'won', 'lost'],
    description: 'What the races of one size say. Tips are gwei per gas; null: there was none.',
  },
  BidReviewAnswer: {
    type: 'object',
    properties: {
      number: { type: 'number' },
      at: { type: 'string' },
      fromBps: { type: 'number' },
      toBps: { type: 'number' },
      sent: { type: 'number' },
      won: { type: 'number' },
      inclusionBps: { type: 'number' },
      reason: { type: 'string' },
    },
    required: ['number', 'at', 'fromBps', 'toBps', 'sent', 'won', 'inclusionBps', 'reason'],
    description: 'A review of the share that `by-inclusion` offers. Shares are in hundredths of a percent.',
  },
  BidsAnswer: {
    type: 'object',
    properties: {
      model: { type: 'string' },
      shareBps: {
        type: ['number', 'null'],
        description:
          'Of `by-inclusion`: the share of the gross profit that is offered now; null with another model.',
      },
      reviews: {
        type: 'array',
        items: { $ref: '#/components/schemas/BidReviewAnswer' },
        description: 'The newest first, at most 200.',
      },
      levels: {
        type: 'array',
        items: { $ref: '#/components/schemas/BidLevelAnswer' },
        description: 'Of `least-that-wins`, from the smallest size to the largest; empty with another model.',
      },
      chain: {
        properties: { usualGwei: { type: 'string' }, highGwei: { type: 'string' } },
        required: ['usualGwei', 'highGwei'],
        type: ['object', 'null'],
        description:
          'Of `least-that-wins`: what the recent blocks paid, gwei per gas; null while it is not known.',
      },
    },
    required: ['model', 'shareBps', 'reviews', 'levels', 'chain'],
  },
  ChannelAnswer: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'As in the configuration.' },
      kind: { type: 'string' },
      pending: { type: 'number', description: 'Messages that wait.' },
      sent: { type: 'number' },
      givenUp: { type: 'number' },
      failedInARow: { type: 'number' },
      lastError: { type: ['string', 'null'] },
      lastSentAt: { type: ['string', 'null'] },
      lastLatencyMs: { type: ['number', 'null'] },
    },
    required: [
      'name',
      'kind',
      'pending',
      'sent',
      'givenUp',
      'failedInARow',
      'lastError',
      'lastSentAt',
      'lastLatencyMs',
    ],
  },
  ConcernAnswer: {
    type: 'object',
    properties: {
      cause: {
        type: 'string',
        enum: [
          'accuracy',
          'books',
          'bug',
          'chain',
          'contract',
          'database',
          'failures',
          'inclusion',
          'operator',
          'passes',
          'rpc',
          'signer',
        ],
      },
      level: { type: 'string', enum: ['HALTED', 'THROTTLED'] },
      reason: { type: 'string' },
      actor: { type: 'string' },
      since: { type: 'string' },
      numbers: { type: 'object', additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] } },
    },
    required: ['cause', 'level', 'reason', 'actor', 'since', 'numbers'],
  },
  DatabaseAnswer: {
    type: 'object',
    properties: {
      awaySince: { type: ['string', 'null'], description: 'Null while it serves.' },
      latencyMs: {
        type: 'number',
        description: 'How long the last answer took, or how long the present one has been awaited.',
      },
      waiting: { type: 'number', description: 'Rows that wait for it.' },
      inJournal: {
        type: 'number',
        description: 'Of these, those on the local disk: decisions of a dry run.',
      },
      safetyChanges: { type: 'number', description: 'Changes of the safety state that wait for it.' },
      dropped: {
        type: 'number',
        description: 'Rows that were left out since the process started, because too many waited.',
      },
    },
    required: ['awaySince', 'latencyMs', 'waiting', 'inJournal', 'safetyChanges', 'dropped'],
    description: 'How the database fares, and what waits for it.',
  },
  EndpointAnswer: {
    type: 'object',
    properties: {
      role: { type: 'string' },
      healthy: { type: 'boolean' },
      state: {
        type: 'string',
        enum: ['circuit-open', 'not-believed', 'ok', 'out-of-sync', 'paused', 'wrong-chain'],
      },
      head: { type: ['number', 'null'] },
      latencyMs: { type: ['number', 'null'], description: 'The latency of the last request that it served.' },
      ok: { type: 'number' },
      failed: { type: 'number' },
    },
    required: ['role', 'healthy', 'state', 'head', 'latencyMs', 'ok', 'failed'],
    description: 'An endpoint is identified by its role only, because its address is a secret.',
  },
  ErrorAnswer: {
    type: 'object',
    properties: {
      statusCode: { type: 'number' },
      error: { type: 'string', description: 'The status in words, as HTTP names it.' },
      message: { type: 'string', description: 'One sentence.' },
    },
    required: ['statusCode', 'error', 'message'],
    description: 'The shape of every answer that is not a success, except for the health routes.',
  },
  ExecutionAnswer: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      createdAt: { type: 'string' },
      mode: { type: 'string', enum: ['dry-run', 'live'] },
      status: {
        type: 'string',
        enum: [
          'authorised',
          'cancelled',
          'dropped',
          'dry-run',
          'planned',
          'rejected',
          'reverted',
          'submitted',
          'succeeded',
        ],
      },
      chainId: {
        type: ['number', 'null'],
        description:
          'Null in rows from before chains were stored: those are shown by the bots of all chains.',
      },
      reason: { type: ['string', 'null'] },
      protocol: { type: 'string' },
      borrower: { type: 'string' },
      marketId: {
        type: ['string', 'null'],
        description: 'Which market of the contract, where it has several (Morpho Blue); else null.',
      },
      block: {
        type: 'object',
        properties: { number: { type: 'number' }, hash: { type: 'string' } },
        required: ['number', 'hash'],
        description: 'The block on which the decision was made.',
      },
      healthFactor: {
        type: 'string',
        description: 'Below 1 a position can be liquidated. Exact decimal text, such as "0.985".',
      },
      collateralAsset: { type: ['string', 'null'] },
      debtAsset: { type: ['string', 'null'] },
      liquidations: {
        type: ['number', 'null'],
        description:
          'How many liquidations of the borrower the transaction makes; null without a plan. Of several, the tokens of this row are those of the first, amounts are sums of those with the same token, and values in dollars are of all.',
      },
      debtToCover: { type: ['string', 'null'], description: 'Debt token units.' },
      expectedCollateral: { type: ['string', 'null'], description: 'Collateral units.' },
      notionalUsd: { type: ['string', 'null'] },
      simulatedProfitUsd: { type: ['string', 'null'], description: 'Before every cost.' },
      gasCostUsd: { type: ['string', 'null'] },
      l1FeeUsd: { type: ['string', 'null'] },
      operatorFeeUsd: { type: ['string', 'null'] },
      poolFeeUsd: { type: ['string', 'null'] },
      bidUsd: { type: ['string', 'null'] },
      simulatedNetProfitUsd: { type: ['string', 'null'], description: 'After every cost and the bid.' },
      outcome: {
        type: 'object',
        properties: {
          kind: {
            enum: ['lost', 'malfunction', 'refused', 'stale', 'won', null],
            type: ['string', 'null'],
            description: 'won, lost (to a rival), stale, refused or malfunction.',
          },
          details: {
            description:
              'Our tip; who liquidated the position before us (`unknown`: that could not be asked); and under `liquidations` what became of each, where the transaction made several of the borrower.',
          },
          txHash: { type: ['string', 'null'] },
          debtCovered: { type: ['string', 'null'], description: 'Debt token units.' },
          collateralSeized: { type: ['string', 'null'], description: 'Collateral units.' },
          profitAsset: {
            type: ['string', 'null'],
            description:
              'The token that the treasury receives: the collateral or the debt token. Null without a plan.',
          },
          realisedProfit: { type: ['string', 'null'], description: 'Units of that token.' },
          realisedProfitUsd: {
            type: ['string', 'null'],
            description: 'After all fees. Negative when only fees were paid.',
          },
          gasUsed: { type: ['string', 'null'] },
          feesWei: {
            type: ['string', 'null'],
            description: 'Everything that was paid: gas, L1 data, operator fee.',
          },
          headToSendUs: {
            type: ['number', 'null'],
            description: 'From the arrival of the head until the transaction was handed to the node.',
          },
          settledAt: { type: ['string', 'null'] },
        },
        required: [
          'kind',
          'details',
          'txHash',
          'debtCovered',
          'collateralSeized',
          'profitAsset',
          'realisedProfit',
          'realisedProfitUsd',
          'gasUsed',
          'feesWei',
          'headToSendUs',
          'settledAt',
        ],
        description: 'What became of its transaction, and what the receipt says.',
      },
    },
    required: [
      'id',
      'createdAt',
      'mode',
      'status',
      'chainId',
      'reason',
      'protocol',
      'borrower',
      'marketId',
      'block',
      'healthFactor',
      'collateralAsset',
      'debtAsset',
      'liquidations',
      'debtToCover',
      'expectedCollateral',
      'notionalUsd',
      'simulatedProfitUsd',
      'gasCostUsd',
      'l1FeeUsd',
      'operatorFeeUsd',
      'poolFeeUsd',
      'bidUsd',
      'simulatedNetProfitUsd',
      'outcome',
    ],
    description:
      "One row of GET /api/v1/executions. As everywhere in this API, `…Usd` is exact decimal text in dollars. Token amounts are decimal text in the token's smallest unit, because a row does not know the decimals of its tokens. Values that are not known, or not known yet, are null.",
  },
  ExecutionDetail: {
    type: 'object',
    properties: {
      plan: {},
      id: { type: 'string' },
      createdAt: { type: 'string' },
      mode: { type: 'string', enum: ['dry-run', 'live'] },
      status: {
        type: 'string',
        enum: [
          'authorised',
          'cancelled',
          'dropped',
          'dry-run',
          'planned',
          'rejected',
          'reverted',
          'submitted',
          'succeeded',
        ],
      },
      chainId: {
        type: ['number', 'null'],
        description:
          'Null in rows from before chains were stored: those are shown by the bots of all chains.',
      },
      reason: { type: ['string', 'null'] },
      protocol: { type: 'string' },
      borrower: { type: 'string' },
      marketId: {
        type: ['string', 'null'],
        description: 'Which market of the contract, where it has several (Morpho Blue); else null.',
      },
      block: {
        type: 'object',
        properties: { number: { type: 'number' }, hash: { type: 'string' } },
        required: ['number', 'hash'],
        description: 'The block on which the decision was made.',
      },
      healthFactor: {
        type: 'string',
        description: 'Below 1 a position can be liquidated. Exact decimal text, such as "0.985".',
      },
      collateralAsset: { type: ['string', 'null'] },
      debtAsset: { type: ['string', 'null'] },
      liquidations: {
        type: ['number', 'null'],
        description:
          'How many liquidations of the borrower the transaction makes; null without a plan. Of several, the tokens of this row are those of the first, amounts are sums of those with the same token, and values in dollars are of all.',
      },
      debtToCover: { type: ['string', 'null'], description: 'Debt token units.' },
      expectedCollateral: { type: ['string', 'null'], description: 'Collateral units.' },
      notionalUsd: { type: ['string', 'null'] },
      simulatedProfitUsd: { type: ['string', 'null'], description: 'Before every cost.' },
      gasCostUsd: { type: ['string', 'null'] },
      l1FeeUsd: { type: ['string', 'null'] },
      operatorFeeUsd: { type: ['string', 'null'] },
      poolFeeUsd: { type: ['string', 'null'] },
      bidUsd: { type: ['string', 'null'] },
      simulatedNetProfitUsd: { type: ['string', 'null'], description: 'After every cost and the bid.' },
      outcome: {
        type: 'object',
        properties: {
          kind: {
            enum: ['lost', 'malfunction', 'refused', 'stale', 'won', null],
            type: ['string', 'null'],
            description: 'won, lost (to a rival), stale, refused or malfunction.',
          },
          details: {
            description:
              'Our tip; who liquidated the position before us (`unknown`: that could not be asked); and under `liquidations` what became of each, where the transaction made several of the borrower.',
          },
          txHash: { type: ['string', 'null'] },
          debtCovered: { type: ['string', 'null'], description: 'Debt token units.' },
          collateralSeized: { type: ['string', 'null'], description: 'Collateral units.' },
          profitAsset: {
            type: ['string', 'null'],
            description:
              'The token that the treasury receives: the collateral or the debt token. Null without a plan.',
          },
          realisedProfit: { type: ['string', 'null'], description: 'Units of that token.' },
          realisedProfitUsd: {
            type: ['string', 'null'],
            description: 'After all fees. Negative when only fees were paid.',
          },
          gasUsed: { type: ['string', 'null'] },
          feesWei: {
            type: ['string', 'null'],
            description: 'Everything that was paid: gas, L1 data, operator fee.',
          },
          headToSendUs: {
            type: ['number', 'null'],
            description: 'From the arrival of the head until the transaction was handed to the node.',
          },
          settledAt: { type: ['string', 'null'] },
        },
        required: [
          'kind',
          'details',
          'txHash',
          'debtCovered',
          'collateralSeized',
          'profitAsset',
          'realisedProfit',
          'realisedProfitUsd',
          'gasUsed',
          'feesWei',
          'headToSendUs',
          'settledAt',
        ],
        description: 'What became of its transaction, and what the receipt says.',
      },
    },
    required: [
      'plan',
      'id',
      'createdAt',
      'mode',
      'status',
      'chainId',
      'reason',
      'protocol',
      'borrower',
      'marketId',
      'block',
      'healthFactor',
      'collateralAsset',
      'debtAsset',
      'liquidations',
      'debtToCover',
      'expectedCollateral',
      'notionalUsd',
      'simulatedProfitUsd',
      'gasCostUsd',
      'l1FeeUsd',
      'operatorFeeUsd',
      'poolFeeUsd',
      'bidUsd',
      'simulatedNetProfitUsd',
      'outcome',
    ],
    description:
      'GET /api/v1/executions/:id: the row with every input of the decision, amounts as decimal text.',
  },
  ExecutionsPage: {
    type: 'object',
    properties: {
      executions: {
        type: 'array',
        items: { $ref: '#/components/schemas/ExecutionAnswer' },
        description: 'Newest first.',
      },
      next: {
        type: ['string', 'null'],
        description: 'The `before` of the next page; null on the last page.',
      },
    },
    required: ['executions', 'next'],
  },
  FeedAnswer: {
    type: 'object',
    properties: {
      of: { type: 'string' },
      address: { type: ['string', 'null'], description: "Null where the market's oracle does not tell it." },
      kind: { type: 'string', enum: ['oev-wrapper', 'public', 'svr', 'unknown'] },
      type: {
        type: ['string', 'null'],
        description: 'What its aggregator says of itself. Null when it says nothing.',
      },
      debtShareBps: { type: 'number' },
    },
    required: ['of', 'address', 'kind', 'type', 'debtShareBps'],
  },
  HeadAnswer: {
    type: 'object',
    properties: {
      number: { type: 'number' },
      hash: { type: 'string' },
      timestamp: { type: 'string' },
      lagSeconds: {
        type: 'number',
        description: "Our clock minus the block's time. Negative when the chain's clock is ahead.",
      },
    },
    required: ['number', 'hash', 'timestamp', 'lagSeconds'],
  },
  HealthAnswer: {
    type: 'object',
    properties: {
      status: {
        type: 'string',
        enum: ['degraded', 'error', 'ok', 'shutting_down'],
        description: 'The overall status of the Health Check',
      },
      info: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          properties: { status: { type: 'string', enum: ['degraded', 'down', 'up'] } },
          required: ['status'],
          additionalProperties: true,
        },
        description:
          'The info object contains information of each health indicator which is of status "up" or "degraded"',
      },
      error: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          properties: { status: { type: 'string', enum: ['degraded', 'down', 'up'] } },
          required: ['status'],
          additionalProperties: true,
        },
        description:
          'The error object contains information of each health indicator which is of status "down"',
      },
      details: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          properties: { status: { type: 'string', enum: ['degraded', 'down', 'up'] } },
          required: ['status'],
          additionalProperties: true,
        },
        description: 'The details object contains information of every health indicator.',
      },
    },
    required: ['status', 'details'],
    description:
      'In the format of Terminus: each condition by its name, with its status and, when down, a sentence.',
  },
  LeaseAnswer: {
    type: 'object',
    properties: {
      role: {
        type: 'string',
        enum: ['dry-run', 'leader', 'standby', 'taking-over'],
        description: 'What this process is. A `standby` reads and waits; `dry-run` needs no lease.',
      },
      holder: {
        type: ['string', 'null'],
        description:
          'The process that has the lease: host, process id and a random part. Null when it is not known.',
      },
      epoch: { type: ['number', 'null'], description: 'Grows with every process that takes the lease.' },
    },
    required: ['role', 'holder', 'epoch'],
    description: 'Which process signs with the wallet.',
  },
  LimitsAnswer: {
    type: 'object',
    properties: {
      maxSingleExecutionUsd: { type: 'string' },
      maxDailyVolumeUsd: { type: 'string' },
      dailyVolumeUsedUsd: {
        type: 'string',
        description: 'Debt that was covered, or that is in flight, in the present UTC day.',
      },
      dailyVolumeLeftUsd: { type: 'string' },
      dailyVolumeResetsAt: { type: 'string', description: 'The next UTC midnight.' },
      maxConsecutiveFailures: { type: 'number' },
      minOperatorBalanceEth: { type: 'string' },
      maxFeePerTransactionEth: { type: 'string' },
      nodeFeeCapEth: {
        type: ['string', 'null'],
        description:
          'The highest fee of one transaction that the nodes take, once they refused a higher one.',
      },
      maxDailyFeeEth: {
        type: 'string',
        description:
          'Used: by the receipts of the present UTC day. Reserved: the most that what is in flight may cost. Left: the limit less both.',
      },
      dailyFeeUsedEth: { type: 'string' },
      dailyFeeReservedEth: { type: 'string' },
      dailyFeeLeftEth: { type: 'string' },
      maxDailyLossUsd: { type: 'string' },
      dailyLossUsedUsd: { type: 'string' },
      dailyLossReservedUsd: { type: 'string' },
      dailyLossLeftUsd: { type: 'string' },
      maxWalletShareBps: { type: 'number' },
      walletLeftEth: { type: 'string', description: 'What of the share of the wallet is not reserved.' },
    },
    required: [
      'maxSingleExecutionUsd',
      'maxDailyVolumeUsd',
      'dailyVolumeUsedUsd',
      'dailyVolumeLeftUsd',
      'dailyVolumeResetsAt',
      'maxConsecutiveFailures',
      'minOperatorBalanceEth',
      'maxFeePerTransactionEth',
      'nodeFeeCapEth',
      'maxDailyFeeEth',
      'dailyFeeUsedEth',
      'dailyFeeReservedEth',
      'dailyFeeLeftEth',
      'maxDailyLossUsd',
      'dailyLossUsedUsd',
      'dailyLossReservedUsd',
      'dailyLossLeftUsd',
      'maxWalletShareBps',
      'walletLeftEth',
    ],
  },
  MarketFeedsAnswer: {
    type: 'object',
    properties: {
      market: { type: 'string' },
      block: { type: 'number', description: 'Of the prices.' },
      debtUsd: { type: 'string' },
      kinds: {
        type: 'object',
        properties: {
          svr: {
            type: 'object',
            properties: { feeds: { type: 'number' }, debtShareBps: { type: 'number' } },
            required: ['feeds', 'debtShareBps'],
          },
          'oev-wrapper': {
            type: 'object',
            properties: { feeds: { type: 'number' }, debtShareBps: { type: 'number' } },
            required: ['feeds', 'debtShareBps'],
          },
          unknown: {
            type: 'object',
            properties: { feeds: { type: 'number' }, debtShareBps: { type: 'number' } },
            required: ['feeds', 'debtShareBps'],
          },
          public: {
            type: 'object',
            properties: { feeds: { type: 'number' }, debtShareBps: { type: 'number' } },
            required: ['feeds', 'debtShareBps'],
          },
        },
        required: ['svr', 'oev-wrapper', 'unknown', 'public'],
        description:
          'By the kind of feed. A position counts once: as `svr` if one of its prices comes from such a feed, else as `oev-wrapper`, `unknown` or `public`, in this order.',
      },
      feeds: {
        type: 'array',
        items: { $ref: '#/components/schemas/FeedAnswer' },
        description: 'Those with the most debt behind them. A position counts for each of its feeds.',
      },
      more: { type: 'number', description: 'Feeds that are not in the list.' },
    },
    required: ['market', 'block', 'debtUsd', 'kinds', 'feeds', 'more'],
    description:
      'The feeds behind the prices of a market, and the debt that depends on them. Shares are rounded down.',
  },
  OpenApiAnswer: {
    type: 'object',
    properties: { openapi: { type: 'string' }, info: {}, paths: {}, components: {} },
    required: ['openapi', 'info', 'paths', 'components'],
    description: 'GET /api/docs-json: OpenAPI 3.1.',
  },
  OutcomeCountsAnswer: {
    type: 'object',
    properties: {
      won: { type: 'number' },
      lost: { type: 'number', description: 'To a rival, who was first.' },
      stale: { type: 'number', description: 'The market came back, or the deadline passed.' },
      refused: { type: 'number', description: 'By every node.' },
      malfunction: { type: 'number', description: 'Only these count as failures.' },
      winRateBps: {
        type: ['number', 'null'],
        description:
          'won / (won + lost) in hundredths of a percent, rounded down; null before the first race.',
      },
      lossesEth: { type: 'string', description: 'The fees of everything that was not won.' },
      lossesUsd: { type: 'string' },
    },
    required: ['won', 'lost', 'stale', 'refused', 'malfunction', 'winRateBps', 'lossesEth', 'lossesUsd'],
    description: 'Some outcomes: how many of each kind, and what was paid without winning.',
  },
  OutcomesAnswer: {
    type: 'object',
    properties: {
      overall: { $ref: '#/components/schemas/OutcomeCountsAnswer' },
      last24h: { $ref: '#/components/schemas/OutcomeCountsAnswer' },
      rates: {
        $ref: '#/components/schemas/RatesAnswer',
        description: 'Of the last 100 executions since an operator resumed.',
      },
      maxInFlight: {
        type: 'number',
        description: 'How many transactions may be in flight now, after the last outcomes.',
      },
      bidShareBps: { type: 'number', description: 'The share of each bid that is offered now.' },
    },
    required: ['overall', 'last24h', 'rates', 'maxInFlight', 'bidShareBps'],
  },
  PassesAnswer: {
    type: 'object',
    properties: {
      failedInARow: { type: 'number' },
      failingSinceMs: {
        type: ['number', 'null'],
        description: 'Milliseconds since the first of them began.',
      },
      lastError: { type: ['string', 'null'] },
    },
    required: ['failedInARow', 'failingSinceMs', 'lastError'],
    description: 'Passes that failed since one succeeded.',
  },
  RatesAnswer: {
    type: 'object',
    properties: {
      sample: { type: 'number', description: 'Executions that count.' },
      inclusionBps: {
        type: ['number', 'null'],
        description: 'Won of what was sent; a lost race has the weight `safety.lostRaceWeightBps`.',
      },
      ownInclusionBps: { type: ['number', 'null'], description: 'The same without lost races.' },
      accuracyBps: { type: ['number', 'null'], description: 'Realised of simulated profit, of those won.' },
    },
    required: ['sample', 'inclusionBps', 'ownInclusionBps', 'accuracyBps'],
    description: 'Shares in hundredths of a percent, rounded down; null while there is nothing to count.',
  },
  ResumeAnswer: {
    type: 'object',
    properties: {
      inFlight: {
        properties: { sentAgain: { type: 'number' }, cancelled: { type: 'number' } },
        required: ['sentAgain', 'cancelled'],
        type: ['object', 'null'],
        description:
          'How many transactions in flight are sent again, and how many nonces are freed by a cancellation, because the transaction would revert now; null when the chain could not be asked.',
      },
      state: { type: 'string', enum: ['HALTED', 'NORMAL', 'THROTTLED'] },
      reason: { type: 'string' },
      actor: { type: 'string', description: 'The key that caused the state, or "chimera".' },
      since: { type: 'string' },
      cause: {
        enum: [
          'accuracy',
          'books',
          'bug',
          'chain',
          'contract',
          'database',
          'failures',
          'inclusion',
          'operator',
          'passes',
          'rpc',
          'signer',
          null,
        ],
        type: ['string', 'null'],
        description: 'What it is about; null while nothing is wrong.',
      },
      numbers: {
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
        description: 'What was measured, by name.',
      },
      consecutiveFailures: { type: 'number' },
      concerns: {
        type: 'array',
        items: { $ref: '#/components/schemas/ConcernAnswer' },
        description: 'All that is wrong, the oldest first. The state is the highest level among them.',
      },
    },
    required: ['inFlight', 'state', 'reason', 'actor', 'since', 'numbers', 'consecutiveFailures', 'concerns'],
    description: 'As the answer of a halt, and what becomes of the transactions in flight.',
  },
  SafetyAnswer: {
    type: 'object',
    properties: {
      state: { type: 'string', enum: ['HALTED', 'NORMAL', 'THROTTLED'] },
      reason: { type: 'string' },
      actor: { type: 'string', description: 'The key that caused the state, or "chimera".' },
      since: { type: 'string' },
      cause: {
        enum: [
          'accuracy',
          'books',
          'bug',
          'chain',
          'contract',
          'database',
          'failures',
          'inclusion',
          'operator',
          'passes',
          'rpc',
          'signer',
          null,
        ],
        type: ['string', 'null'],
        description: 'What it is about; null while nothing is wrong.',
      },
      numbers: {
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
        description: 'What was measured, by name.',
      },
      consecutiveFailures: { type: 'number' },
      concerns: {
        type: 'array',
        items: { $ref: '#/components/schemas/ConcernAnswer' },
        description: 'All that is wrong, the oldest first. The state is the highest level among them.',
      },
    },
    required: ['state', 'reason', 'actor', 'since', 'numbers', 'consecutiveFailures', 'concerns'],
    description: 'Also the answer of a halt and of a resume.',
  },
  StatusAnswer: {
    type: 'object',
    properties: {
      network: {
        type: 'object',
        properties: { name: { type: 'string' }, chainId: { type: 'number' } },
        required: ['name', 'chainId'],
      },
      mode: { type: 'string', enum: ['dry-run', 'live'] },
      lease: { $ref: '#/components/schemas/LeaseAnswer' },
      phase: { type: 'string', enum: ['running', 'starting', 'stopping'] },
      safety: { $ref: '#/components/schemas/SafetyAnswer' },
      head: { anyOf: [{ $ref: '#/components/schemas/HeadAnswer' }, { type: 'null' }] },
      sinceLastPassMs: { type: ['number', 'null'] },
      passes: { $ref: '#/components/schemas/PassesAnswer' },
      database: { $ref: '#/components/schemas/DatabaseAnswer' },
      endpoints: { type: 'array', items: { $ref: '#/components/schemas/EndpointAnswer' } },
      positions: {
        type: 'object',
        properties: {
          total: { type: 'number', description: 'Borrowers with debt.' },
          liquidatable: { type: 'number' },
          inFlight: { type: 'number' },
          setAside: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                market: { type: 'string' },
                account: { type: 'string' },
                sinceBlock: { type: 'number' },
              },
              required: ['market', 'account', 'sinceBlock'],
            },
            description:
              'Of the total: our books and the chain differ about them, so they are not liquidated.',
          },
        },
        required: ['total', 'liquidatable', 'inFlight', 'setAside'],
      },
      backfill: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            market: { type: 'string' },
            fromBlock: { type: 'number' },
            atBlock: { type: 'number', description: 'Every borrower up to this block has been found.' },
            toBlock: { type: 'number' },
            unread: { type: 'number', description: 'Borrowers that were found and not read yet.' },
          },
          required: ['market', 'fromBlock', 'atBlock', 'toBlock', 'unread'],
        },
        description: 'Markets whose borrowers are not all known yet. Empty when all are.',
      },
      incomplete: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            market: { type: 'string' },
            missing: {
              type: 'array',
              items: {
                type: 'object',
                properties: {
                  asset: { type: 'string' },
                  symbol: { type: 'string' },
                  known: {
                    type: 'string',
                    description: 'The sum over all known accounts, in whole units of the asset.',
                  },
                  total: {
                    type: 'string',
                    description:
                      'What the chain says that all accounts owe together, in whole units of the asset.',
                  },
                  lacks: {
                    type: 'boolean',
                    description:
                      'Whether `known` is the lower one: accounts are missing. Otherwise an account has too much.',
                  },
                },
                required: ['asset', 'symbol', 'known', 'total', 'lacks'],
              },
              description:
                'Where the debts that are known are not all debts; empty before the first comparison.',
            },
          },
          required: ['market', 'missing'],
        },
        description:
          'Markets of which it is not proven that every borrower is known. `missing` has the debts that are known, and what all accounts owe together, in whole units of the asset.',
      },
      refused: {
        type: 'array',
        items: {
          type: 'object',
          properties: { market: { type: 'string' }, reason: { type: 'string' } },
          required: ['market', 'reason'],
        },
        description:
          'Markets whose rules are not known, each with its sentence. Nothing of them is liquidated.',
      },
      coverage: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            served: { type: 'number' },
            unserved: {
              type: 'object',
              additionalProperties: { type: 'number' },
              description: 'The others, by the reason.',
            },
            faulty: {
              type: 'array',
              items: {
                type: 'object',
                properties: {
                  marketId: { type: 'string' },
                  pair: {
                    type: 'string',
                    description: 'Collateral and loan token, for example "WETH/USDC".',
                  },
                  reason: {
                    type: 'string',
                    enum: [
                      'collateral-worthless',
                      'denied',
                      'loan-token-not-chosen',
                      'loan-token-without-price',
                      'no-debt',
                      'not-chosen',
                      'not-created',
                      'oracle-nonsense',
                      'oracle-not-by-feeds',
                      'oracle-out-of-gas',
                      'oracle-reverts',
                      'oracle-silent',
                      'oracle-zero',
                      'rate-unknown',
                      'token-unreadable',
                      'too-small',
                    ],
                  },
                },
                required: ['marketId', 'pair', 'reason'],
              },
            },
            preLiquidation: {
              type: 'object',
              properties: {
                contracts: { type: 'number' },
                markets: { type: 'number', description: 'Served markets that have at least one.' },
                positions: {
                  type: 'number',
                  description:
                    'Between the limit of such a contract, which the borrower authorised, and that of the market.',
                },
                searching: {
                  type: 'boolean',
                  description:
                    'The history of the factory is not read to its end yet: more contracts may be found.',
                },
                problem: {
                  type: 'string',
                  description: 'Why the reading of the history failed; it is tried again.',
                },
              },
              required: ['contracts', 'markets', 'positions', 'searching'],
              description: 'Absent where pre-liquidations are not looked for.',
            },
            market: { type: 'string' },
          },
          required: ['served', 'unserved', 'faulty', 'market'],
        },
        description:
          'Of each protocol with many markets, for instance Morpho Blue: how many are served, how many are not, by the reason, and the markets that have no price or no rate now, at most 50 of them. Where its pre-liquidations are looked for: how many contracts are known, of how many served markets, and how many positions one of them may take now.',
      },
      feeds: {
        type: 'array',
        items: { $ref: '#/components/schemas/MarketFeedsAnswer' },
        description: 'Of each market; empty until they have been asked.',
      },
      outcomes: {
        $ref: '#/components/schemas/OutcomesAnswer',
        description: 'Of all transactions that were signed, over restarts.',
      },
      counters: {
        type: 'object',
        properties: {
          passes: { type: 'number' },
          planned: { type: 'number' },
          succeeded: { type: 'number' },
          sent: { type: 'number' },
          failed: { type: 'number' },
          divergences: { type: 'number' },
          passErrors: { type: 'number' },
        },
        required: ['passes', 'planned', 'succeeded', 'sent', 'failed', 'divergences', 'passErrors'],
        description: 'Since the process started.',
      },
      nativePrice: {
        properties: {
          ageSeconds: { type: 'number', description: 'Since the time of its own round.' },
          isKept: { type: 'boolean', description: 'The feed gave none: it is the last good one.' },
        },
        required: ['ageSeconds', 'isKept'],
        type: ['object', 'null'],
        description: 'The price of the native token in the last pass; null when it is missing.',
      },
      skipped: {
        type: 'object',
        additionalProperties: { type: 'number' },
        description: 'Positions that the last pass could liquidate but did not, by reason.',
      },
      limits: { $ref: '#/components/schemas/LimitsAnswer' },
      tier: { $ref: '#/components/schemas/TierAnswer' },
      alerts: { $ref: '#/components/schemas/AlertsAnswer' },
    },
    required: [
      'network',
      'mode',
      'lease',
      'phase',
      'safety',
      'head',
      'sinceLastPassMs',
      'passes',
      'database',
      'endpoints',
      'positions',
      'backfill',
      'incomplete',
      'refused',
      'coverage',
      'feeds',
      'outcomes',
      'counters',
      'nativePrice',
      'skipped',
      'limits',
      'tier',
      'alerts',
    ],
    description:
      'GET /api/v1/status. Money is exact decimal text in whole units, never a JSON number. The end of the name gives the unit: `…Usd` "2500" or "12.34567891", `…Eth` "0.1". Durations are numbers and end in Ms or Seconds. Instants are ISO 8601 in UTC. Values that are not known yet are null.',
  },
  TierAnswer: {
    type: 'object',
    properties: {
      present: { type: 'number' },
      next: {
        properties: { maxSingleExecutionUsd: { type: 'string' }, maxDailyVolumeUsd: { type: 'string' } },
        required: ['maxSingleExecutionUsd', 'maxDailyVolumeUsd'],
        type: ['object', 'null'],
        description: 'The limits of the next one; null at the highest.',
      },
      criteria: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            what: { type: 'string' },
            needed: { type: 'string' },
            seen: { type: 'string' },
            met: { type: 'boolean' },
          },
          required: ['what', 'needed', 'seen', 'met'],
        },
        description: 'What the last seven days should show before it goes up.',
      },
    },
    required: ['present', 'next', 'criteria'],
    description: 'The step of the limits. It goes up by the key `safety.tier`, never by itself.',
  },
} satisfies Schemas;
