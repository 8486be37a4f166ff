/** Makes docs/decisions.md of the reasons in the code. */
import { REJECTION_REASONS } from '../src/domain/decision.js';

const HEAD = `# How decisions are made

At each head the bot looks at the positions below a health factor of 1 and asks, in this order. The first answer that is no ends
it, and its reason is told (\`position-skipped\`), counted, and stored where a plan was simulated.

1. **Is it really open?** Prices are fresh and did not jump, the market is not paused, our books agree with the chain.
2. **Has an operator left it out?** The market is paused, or the borrower denied.
3. **Can it pay?** The bonus alone must be above the floor, before anything is asked of a node.
4. **How much, and how is it sold?** All sizes and routes through pools in memory are searched; one is chosen.
5. **Does it work?** The very transaction is simulated at the block, by each endpoint that must agree.
6. **Is it worth it?** What is left after gas, L1 data, fees and the bid must be above the floor.
7. **May it be sent?** State, volume, fees, losses, the wallet, what is in flight.
8. **Then** its row is written, it is signed, and it is sent.

\`npx chimera explain NUMBER\` tells one stored decision with its inputs: position, candidate, route, costs, bid and outcome.

## Every reason

This table is made from src/domain/decision.ts.

| reason | what it means |
| ------ | ------------- |
`;

/** One row for each reason for which a position is left alone. */
export function reasonPage(): string {
  return (
    HEAD +
    Object.entries(REJECTION_REASONS)
      .map(([reason, says]) => `| \`${reason}\` | ${says} |\n`)
      .join('')
  );
}
