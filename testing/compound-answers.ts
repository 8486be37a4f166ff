import { Interface } from 'ethers';
import type { SimulatedCall } from '../src/rpc/chain/simulate.js';

/** What the differential test of Compound calls, and the events that answer it. */
export const MARKET = new Interface([
  'function liquidateBorrow(address,uint256,address) returns (uint256)',
  'function redeem(uint256) returns (uint256)',
  'function borrowBalanceStored(address) view returns (uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function getAccountLiquidity(address) view returns (uint256, uint256, uint256)',
  'event Failure(uint256 code, uint256 info, uint256 detail)',
  'event LiquidateBorrow(address by, address of, uint256 repaid, address held, uint256 seized)',
  'event Redeem(address by, uint256 paid, uint256 tokens)',
  'event Transfer(address indexed from, address indexed to, uint256 amount)',
]);

/** 0, or the code with which the Comptroller refused. */
export function codeOf(call: SimulatedCall | undefined): number {
  const failure = eventOf(call, 'Failure');
  if (failure) return Number(failure.args['detail']);
  return Number(words(call)[0] ?? -1n);
}

/** The reason of a revert with a text. */
export function textOf(call: SimulatedCall | undefined): string {
  const data = Buffer.from(call?.returnData.slice(2) ?? '', 'hex');
  return data.subarray(68, 68 + (data[67] ?? 0)).toString();
}

export function words(call: SimulatedCall | undefined): bigint[] {
  return (call?.returnData.slice(2).match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`));
}

export function eventsOf(
  call: SimulatedCall | undefined,
  name: string,
): { readonly args: Record<string, unknown> }[] {
  return (call?.logs ?? []).flatMap(({ topics, data }) => {
    const parsed = MARKET.parseLog({ topics: [...topics], data });
    return parsed?.name === name ? [{ args: parsed.args.toObject() }] : [];
  });
}

export function eventOf(
  call: SimulatedCall | undefined,
  name: string,
): { readonly args: Record<string, unknown> } | undefined {
  return eventsOf(call, name).at(-1);
}
