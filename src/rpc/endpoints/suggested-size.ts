/** Of a text of a provider, only this much is read: a suggestion is in its first sentences. */
const LONGEST_TEXT = 1_000;
const LARGEST_SUGGESTION = 10_000_000;

const HEX_RANGE = /\[\s*(0x[0-9a-f]{1,12})\s*[,-]\s*(0x[0-9a-f]{1,12})\s*\]/i;
const DECIMAL_RANGE = /range:?\s*\[?\s*(\d{1,12})\s*[-,]\s*(\d{1,12})\b/i;
/** A number after words of a limit, or before "blocks": "limited to 10,000 blocks", "max range is 2K". */
const LIMITS = [
  /(?:limit|max|allowed)[a-z_-]*\W(?:[a-z_-]+\W+){0,6}?(?:to|of|is|at|a|set to|[:=(])?\s*([\d][\d,_]*)\s*(k\b)?(?!\s*-)/i,
  /(?:up to|at most|no more than|more than|less than|over|smaller than(?: size)?)(?: an?)? ([\d][\d,_]*)\s*(k\b)?/i,
  /([\d][\d,_]*)\s*(k)?[\s-]+blocks?\b/i,
] as const;
/** What a limit counts when it does not count blocks or calls. */
const OTHER_UNIT =
  /^\W*(?:k\b)?\W*(?:results?|logs?|events?|entries|items?|records?|address(?:es)?|topics?|filters?|positions?|[kmg]i?b\b|bytes|ms\b|s\b|sec|minutes?|hours?|days?|(?:requests?|calls?)? ?(?:per|\/) ?(?:second|sec|s|minute|day)\b)/i;
const OF_RESULTS = /(?:results?|logs|events|entries|response size|size of the response)\W*$/i;

/** How many blocks a refusal of eth_getLogs says would be served; undefined where it names no number. */
export function suggestedBlocks(text: string): number | undefined {
  const words = text.slice(0, LONGEST_TEXT);
  const range = HEX_RANGE.exec(words) ?? DECIMAL_RANGE.exec(words);
  if (range) return plausible(Number(range[2]) - Number(range[1]) + 1);
  return firstLimit(words);
}

/** How many calls in a batch a refusal says would be served; undefined where it names no number. */
export function suggestedCalls(text: string): number | undefined {
  return firstLimit(text.slice(0, LONGEST_TEXT));
}

function firstLimit(words: string): number | undefined {
  for (const pattern of LIMITS) {
    const found = pattern.exec(words);
    const digits = found?.[1];
    if (!found || digits === undefined) continue;
    const at = found.index + found[0].lastIndexOf(digits);
    const after = words.slice(at + digits.length);
    if (OTHER_UNIT.test(after) || OF_RESULTS.test(words.slice(0, at))) continue;
    return plausible(Number(digits.replace(/[,_]/g, '')) * (found[2] === undefined ? 1 : 1_000));
  }
  return undefined;
}

function plausible(size: number): number | undefined {
  return Number.isSafeInteger(size) && size >= 1 && size <= LARGEST_SUGGESTION ? size : undefined;
}
