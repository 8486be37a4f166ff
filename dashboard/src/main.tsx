import { render } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { ProfitAnswer, StatusAnswer } from './answers.js';
import { instant, seconds } from './amounts.js';
import { useAsked } from './asked.js';
import { Executions } from './executions.js';
import { Alerts, Budgets, Endpoints, Feeds, Outcomes, Stages } from './figures.js';
import { watchStatus, type CallerTold } from './live.js';
import { Orders } from './orders.js';
import { Funnel, Profit, Reasons, SPANS, type Span } from './profit.js';
import { Positions } from './scatter.js';
import './style.css';

const STORED = 'chimera-key';

/** The key of the address's fragment, which never reaches the server, or that of this tab. */
function firstKey(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get('key');
  if (given !== null) {
    sessionStorage.setItem(STORED, given);
    history.replaceState(null, '', location.pathname);
  }
  return given ?? sessionStorage.getItem(STORED) ?? '';
}

function KeyForm({ problem, onKey }: { problem: string; onKey: (key: string) => void }) {
  const [typed, setTyped] = useState('');
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim()) onKey(typed.trim());
      }}
    >
      <h1>Chimera</h1>
      <label for="key">A key of api.keys, of a viewer or an operator</label>
      <input
        id="key"
        type="password"
        autocomplete="off"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <button type="submit">Open</button>
      <p role="alert">{problem}</p>
    </form>
  );
}

const PROFIT_MS = 5_000;

function Desk({
  status,
  caller,
  apiKey,
}: {
  status: StatusAnswer;
  caller: CallerTold | undefined;
  apiKey: string;
}) {
  const [span, setSpan] = useState<Span>('A week');
  const path = useCallback(() => `profit?since=${new Date(Date.now() - SPANS[span]).toISOString()}`, [span]);
  const profit = useAsked<ProfitAnswer>(apiKey, path, PROFIT_MS);
  const { safety, head, network, mode, phase } = status;
  return (
    <main>
      <header>
        <h1>
          Chimera <small>{`${network.name}, ${mode}`}</small>
        </h1>
        <p class={`state ${safety.state.toLowerCase()}`} role="status">
          <strong>{safety.state}</strong> {safety.reason}{' '}
          <small>{`since ${instant(safety.since)} UTC, by ${safety.actor}`}</small>
        </p>
        <p class="head">
          <span title="The newest block that the bot knows">Head {head?.number ?? 'none yet'}</span>
          <span title="Our clock less the time of that block">
            Lag {head ? seconds(head.lagSeconds) : '–'}
          </span>
          <span title="What the bot does now">{phase}</span>
        </p>
        <Orders state={safety.state} apiKey={apiKey} mayOrder={caller?.role === 'operator'} />
      </header>
      <Funnel positions={status.positions} profit={profit.answer} />
      <Outcomes status={status} />
      <Budgets status={status} apiKey={apiKey} />
      <Positions apiKey={apiKey} />
      <Profit asked={profit} span={span} onSpan={setSpan} />
      <Executions apiKey={apiKey} />
      <Alerts apiKey={apiKey} />
      <Reasons profit={profit.answer} />
      <Stages status={status} />
      <Endpoints status={status} />
      <Feeds status={status} />
    </main>
  );
}

function App() {
  const [key, setKey] = useState(firstKey);
  const [status, setStatus] = useState<StatusAnswer>();
  const [caller, setCaller] = useState<CallerTold>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (!key) return undefined;
    return watchStatus(key, {
      onCaller: setCaller,
      onStatus: (answer) => {
        setStatus(answer);
        setProblem('');
        sessionStorage.setItem(STORED, key);
      },
      onProblem: setProblem,
      onRefused: (why) => {
        sessionStorage.removeItem(STORED);
        setProblem(why);
        setStatus(undefined);
        setKey('');
      },
    });
  }, [key]);
  if (!key) return <KeyForm problem={problem} onKey={setKey} />;
  return (
    <>
      {problem ? (
        <p class="away" role="alert">
          The bot does not answer: {problem}
        </p>
      ) : null}
      {status ? (
        <Desk status={status} caller={caller} apiKey={key} />
      ) : (
        <p>The first answer of the bot is awaited.</p>
      )}
    </>
  );
}

const root = document.getElementById('app');
if (root) render(<App />, root);
