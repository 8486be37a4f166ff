import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { order, readStatus, Refused, type StatusAnswer } from './api.js';
import { dollars, ether, seconds } from './amounts.js';
import './style.css';

const PAUSE_MS = 1_000;
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

function Orders({ status, apiKey }: { status: StatusAnswer; apiKey: string }) {
  const [reason, setReason] = useState('');
  const [told, setTold] = useState('');
  const what = status.safety.state === 'HALTED' ? 'resume' : 'halt';
  const give = async (): Promise<void> => {
    if (!confirm(what === 'halt' ? 'Sign nothing from now on?' : 'End the halt and sign again?')) return;
    try {
      await order(apiKey, what, reason.trim());
      setReason('');
      setTold(what === 'halt' ? 'Halted.' : 'Resumed.');
    } catch (error) {
      setTold(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form
      class="orders"
      onSubmit={(event) => {
        event.preventDefault();
        void give();
      }}
    >
      <label for="reason">Reason, for the audit trail</label>
      <input
        id="reason"
        required
        maxLength={500}
        value={reason}
        onInput={(event) => setReason(event.currentTarget.value)}
      />
      <button type="submit">{what === 'halt' ? 'Halt' : 'Resume'}</button>
      <p role="status">{told}</p>
    </form>
  );
}

interface Row {
  readonly name: string;
  readonly value: string | number;
  readonly title?: string;
}

function Table({ title, rows }: { title: string; rows: readonly Row[] }) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <dl>
        {rows.map(({ name, value, title: means }) => (
          <div key={name} title={means}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Desk({ status, apiKey }: { status: StatusAnswer; apiKey: string }) {
  const { safety, head, positions, outcomes, limits, endpoints, alerts } = status;
  const { won, lost, stale, refused, malfunction, lossesUsd } = outcomes.overall;
  return (
    <main>
      <header>
        <h1>
          Chimera <small>{`${status.network.name}, ${status.mode}`}</small>
        </h1>
        <p class={`state ${safety.state.toLowerCase()}`} role="status">
          <strong>{safety.state}</strong> {safety.reason}
        </p>
        <Orders status={status} apiKey={apiKey} />
      </header>
      <Table
        title="Chain"
        rows={[
          { name: 'Head', value: head?.number ?? 'none yet', title: 'The newest block that the bot knows' },
          { name: 'Lag', value: head ? seconds(head.lagSeconds) : '–', title: 'Our clock less its time' },
          ...endpoints.map(({ role, state, latencyMs }) => ({
            name: role,
            value: latencyMs === null ? state : `${state}, ${latencyMs} ms`,
            title: 'A node: how it fares, and its last answer',
          })),
        ]}
      />
      <Table
        title="Positions"
        rows={[
          { name: 'With debt', value: positions.total },
          { name: 'Liquidatable', value: positions.liquidatable, title: 'Health factor below 1' },
          { name: 'In flight', value: positions.inFlight, title: 'Sent, and not mined yet' },
          { name: 'Set aside', value: positions.setAside.length, title: 'Our books and the chain differ' },
        ]}
      />
      <Table
        title="Outcomes"
        rows={[
          { name: 'Won', value: won },
          { name: 'Lost', value: lost, title: 'A rival was first' },
          { name: 'Stale', value: stale, title: 'The market came back, or the deadline passed' },
          { name: 'Refused', value: refused, title: 'By every node' },
          { name: 'Malfunction', value: malfunction, title: 'Only these count as failures' },
          { name: 'Fees lost', value: dollars(lossesUsd), title: 'Fees of what was not won' },
        ]}
      />
      <Table
        title="Limits of the day"
        rows={[
          { name: 'Volume left', value: dollars(limits.dailyVolumeLeftUsd) },
          { name: 'Volume limit', value: dollars(limits.maxDailyVolumeUsd) },
          { name: 'Fees left', value: ether(limits.dailyFeeLeftEth) },
          { name: 'Loss left', value: dollars(limits.dailyLossLeftUsd) },
          { name: 'Largest execution', value: dollars(limits.maxSingleExecutionUsd) },
        ]}
      />
      <section aria-label="Alerts">
        <h2>Alerts</h2>
        <p>
          {alerts.active === 0
            ? 'Nothing is wrong.'
            : `${alerts.active} open: GET /api/v1/alerts lists them.`}
        </p>
      </section>
    </main>
  );
}

function App() {
  const [key, setKey] = useState(firstKey);
  const [status, setStatus] = useState<StatusAnswer>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (!key) return undefined;
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const answer = await readStatus(key);
        if (ended) return;
        setStatus(answer);
        setProblem('');
        sessionStorage.setItem(STORED, key);
      } catch (error) {
        if (ended) return;
        setProblem(error instanceof Error ? error.message : String(error));
        if (error instanceof Refused && error.status === 401) {
          sessionStorage.removeItem(STORED);
          setStatus(undefined);
          setKey('');
          return;
        }
      }
      timer = setTimeout(() => void look(), PAUSE_MS);
    };
    void look();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [key]);
  if (!key) return <KeyForm problem={problem} onKey={setKey} />;
  return (
    <>
      {problem ? (
        <p class="away" role="alert">
          The bot does not answer: {problem}
        </p>
      ) : null}
      {status ? <Desk status={status} apiKey={key} /> : <p>The first answer of the bot is awaited.</p>}
    </>
  );
}

const root = document.getElementById('app');
if (root) render(<App />, root);
