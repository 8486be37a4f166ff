import { useEffect, useRef, useState } from 'preact/hooks';
import type { ExecutionAnswer, ExecutionDetail, ExecutionsPage } from './answers.js';
import { ask, textOf } from './api.js';
import { dollars, health, instant, short } from './amounts.js';
import { useAsked } from './asked.js';
import { Panel } from './table.js';

const PAUSE_MS = 3_000;

/** From the gross profit to the net one: each cost is a part of the bar. */
function Costs({ one }: { one: ExecutionAnswer }) {
  const gross = Number(one.simulatedProfitUsd ?? 0);
  if (!(gross > 0)) return <p class="soft">It had no profit before costs.</p>;
  const parts = [
    { name: 'Gas', usd: one.gasCostUsd },
    { name: 'L1 data', usd: one.l1FeeUsd },
    { name: 'Operator fee', usd: one.operatorFeeUsd },
    { name: 'Bid', usd: one.bidUsd },
    { name: 'Net', usd: one.simulatedNetProfitUsd },
  ].filter(({ usd }) => usd !== null && Number(usd) !== 0);
  return (
    <>
      <p>
        Gross {dollars(gross)}
        {one.poolFeeUsd === null
          ? ''
          : `, the fees of the pools (${dollars(one.poolFeeUsd)}) already taken off`}
      </p>
      {parts.map(({ name, usd }) => (
        <Bars key={name} name={name} share={Number(usd) / gross} text={dollars(usd)} />
      ))}
    </>
  );
}

function Bars({ name, share, text }: { name: string; share: number; text: string }) {
  return (
    <div class="bar">
      <span>{name}</span>
      <span>{text}</span>
      <meter min={0} max={1} value={Math.max(0, share)} aria-label={`${name}: ${text}`} />
    </div>
  );
}

function Detail({ one, onClose }: { one: ExecutionDetail; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onClose} class="detail" aria-labelledby="detail-title">
      <h2 id="detail-title">
        Execution {one.id}, {one.protocol}
      </h2>
      <p class="soft">{`Decided ${instant(one.createdAt)} UTC`}</p>
      <dl>
        {one.explanation.map(({ subject, text }, place) => (
          <div key={place}>
            <dt>{subject}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <h3>Costs, as simulated</h3>
      <Costs one={one} />
      <details>
        <summary>Everything that was decided with</summary>
        <pre tabIndex={0}>{JSON.stringify(one.plan, null, 1)}</pre>
      </details>
      <p class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </p>
    </dialog>
  );
}

export function Executions({ apiKey }: { apiKey: string }) {
  const [befores, setBefores] = useState<readonly string[]>([]);
  const [shown, setShown] = useState<ExecutionDetail>();
  const [told, setTold] = useState('');
  const before = befores.at(-1);
  const path = before === undefined ? 'executions?limit=50' : `executions?limit=50&before=${before}`;
  const { answer, problem } = useAsked<ExecutionsPage>(apiKey, path, PAUSE_MS);
  const rows = answer?.executions ?? [];
  const open = async (id: string): Promise<void> => {
    try {
      setShown(await ask<ExecutionDetail>(apiKey, `executions/${id}`));
      setTold('');
    } catch (error) {
      setTold(textOf(error));
    }
  };
  return (
    <Panel title="Executions" wide>
      <div class="scroll tall" tabIndex={0} role="group" aria-label="The list of executions">
        <table>
          <thead>
            <tr>
              <th>UTC</th>
              <th>Market</th>
              <th>Pair</th>
              <th class="number" title="Below 1 a position can be liquidated">
                HF
              </th>
              <th>Status</th>
              <th class="number" title="After every cost and the bid, as simulated">
                Net
              </th>
              <th class="number" title="After all fees, by the receipt">
                Realised
              </th>
              <th>Borrower</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.id}>
                <td>
                  <button type="button" class="link" onClick={() => void open(one.id)}>
                    {instant(one.createdAt)}
                  </button>
                </td>
                <td>{one.protocol}</td>
                <td>
                  {one.debtSymbol === null ? '–' : `${one.debtSymbol} → ${one.collateralSymbol ?? '?'}`}
                </td>
                <td class="number">{health(one.healthFactor)}</td>
                <td title={one.reason ?? ''} class={one.outcome.kind ?? ''}>
                  {one.outcome.kind ?? one.reason ?? one.status}
                </td>
                <td class="number">{dollars(one.simulatedNetProfitUsd)}</td>
                <td class="number">{dollars(one.outcome.realisedProfitUsd)}</td>
                <td title={one.borrower}>{short(one.borrower)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 ? (
          <p class="soft">Nothing yet: each plan that is simulated appears here, with what became of it.</p>
        ) : null}
      </div>
      <p class="buttons">
        <button
          type="button"
          disabled={befores.length === 0}
          onClick={() => setBefores(befores.slice(0, -1))}
        >
          Newer
        </button>
        <button
          type="button"
          disabled={!answer?.next}
          onClick={() => answer?.next && setBefores([...befores, answer.next])}
        >
          Older
        </button>
        <span role="status">{told || problem}</span>
      </p>
      {shown ? <Detail key={shown.id} one={shown} onClose={() => setShown(undefined)} /> : null}
    </Panel>
  );
}
