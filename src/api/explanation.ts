import type { ExecutionAnswer } from './executions-answer.js';
import { parseDecimal } from '../config/index.js';
import { tokens, usd } from '../monitoring/told/figures.js';

type Line = readonly [subject: string, text: string];
type Stored = ExecutionAnswer & { readonly plan: unknown };

/** One line of what a person is told about a decision. */
export interface ExplanationAnswer {
  /** What the line is about: a word or two. */
  readonly subject: string;
  readonly text: string;
}

/** A stored decision for a person, one subject a line. What was never known is left out. */
export function explanation(row: Stored): ExplanationAnswer[] {
  const { id, mode, status, reason, protocol, borrower, marketId, block } = row;
  const lines: Line[] = [
    ['execution', `${id}, ${mode}, ${status}${reason === null ? '' : `: ${reason}`}`],
    ['position', `${protocol}, ${borrower}${marketId === null ? '' : `, market ${marketId}`}`],
    ['health', `health factor ${row.healthFactor} at block ${block.number}, ${block.hash}`],
    ...candidateLines(row),
    ...routeLines(row),
    ...moneyLines(row),
    ...outcomeLines(row),
  ];
  return lines.map(([subject, told]) => ({ subject, text: told }));
}

function candidateLines({ plan, debtAsset, collateralAsset, ...row }: Stored): Line[] {
  const lines: Line[] = [];
  if (row.debtToCover !== null) {
    const debt = amount(row.debtToCover, at(plan, 'candidate', 'debt'), debtAsset);
    const worth = row.notionalUsd === null ? '' : `, worth ${dollars(row.notionalUsd)}`;
    lines.push(['candidate', `covers ${debt}${worth}`]);
  }
  if (row.expectedCollateral !== null)
    lines.push([
      'candidate',
      `takes ${amount(row.expectedCollateral, at(plan, 'candidate', 'collateral'), collateralAsset)}`,
    ]);
  if (row.liquidations !== null && row.liquidations > 1)
    lines.push(['candidate', `${row.liquidations} liquidations of the borrower in one transaction`]);
  return lines;
}

function routeLines({ plan, debtAsset, collateralAsset }: Stored): Line[] {
  const kind = at(plan, 'funding', 'kind');
  const parts = at(plan, 'route', 'parts');
  const funding: Line[] = typeof kind === 'string' ? [['funding', kind]] : [];
  const routes = (Array.isArray(parts) ? parts : []).map((part: unknown): Line => {
    const hops = at(part, 'hops');
    const pools = (Array.isArray(hops) ? hops : []).map((hop: unknown) =>
      [text(hop, 'venue'), text(hop, 'pool')].join(' '),
    );
    const sold = amount(text(part, 'quotedInput'), at(plan, 'candidate', 'collateral'), collateralAsset);
    const got = amount(text(part, 'output'), at(plan, 'candidate', 'debt'), debtAsset);
    return ['route', `${sold} → ${got} through ${pools.join(', ')}`];
  });
  return [...funding, ...routes];
}

function moneyLines(row: Stored): Line[] {
  const costs = [
    ['gas', row.gasCostUsd],
    ['L1 data', row.l1FeeUsd],
    ['operator fee', row.operatorFeeUsd],
    ['pool fees', row.poolFeeUsd],
    ['bid', row.bidUsd],
  ].flatMap(([name, value]) => (value === null || value === undefined ? [] : [`${name} ${dollars(value)}`]));
  const lines: Line[] = [];
  if (row.simulatedProfitUsd !== null)
    lines.push(['profit', `${dollars(row.simulatedProfitUsd)} simulated, before costs`]);
  if (costs.length > 0) lines.push(['costs', costs.join(', ')]);
  const why = at(row.plan, 'bid', 'why');
  if (typeof why === 'string') lines.push(['bid', `${text(row.plan, 'bid', 'model')}: ${why}`]);
  if (row.simulatedNetProfitUsd !== null)
    lines.push(['profit', `${dollars(row.simulatedNetProfitUsd)} left after all of them`]);
  return lines;
}

function outcomeLines({ outcome }: Stored): Line[] {
  const { kind, details, txHash, realisedProfitUsd, feesWei, headToSendUs, settledAt } = outcome;
  const lines: Line[] = [];
  if (txHash !== null)
    lines.push(['sent', `${txHash}${headToSendUs === null ? '' : `, ${headToSendUs} µs after the head`}`]);
  if (kind !== null) lines.push(['outcome', `${kind}${settledAt === null ? '' : ` at ${settledAt}`}`]);
  const rival = at(details, 'rival');
  if (rival === 'unknown') lines.push(['rival', 'the chain could not be asked']);
  else if (typeof rival === 'object' && rival !== null)
    lines.push([
      'rival',
      `${text(rival, 'sender')} in ${text(rival, 'hash')}, block ${text(rival, 'block')}, place ${text(rival, 'place')}, tip ${text(rival, 'tipPerGasWei')} wei per gas`,
    ]);
  if (feesWei !== null) lines.push(['paid', tokens(feesWei, 18, 'ETH')]);
  if (realisedProfitUsd !== null) lines.push(['realised', dollars(realisedProfitUsd)]);
  return lines;
}

/** With the symbol where the plan has the token, else in units of its address. */
function amount(units: string, asset: unknown, address: string | null): string {
  const [decimals, symbol] = [at(asset, 'decimals'), at(asset, 'symbol')];
  return typeof decimals === 'number' && typeof symbol === 'string' && /^\d+$/.test(units)
    ? tokens(units, decimals, symbol)
    : `${units} units of ${address ?? 'a token'}`;
}

/** A part of what was stored as JSON: its form is that of the version that wrote it. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (part, key) => (typeof part === 'object' && part !== null ? Reflect.get(part, key) : undefined),
    value,
  );
}

function text(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : '?';
}

const dollars = (value: string): string => usd(parseDecimal(value, 8) ?? 0n);
