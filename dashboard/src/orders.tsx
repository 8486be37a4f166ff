import { useRef, useState } from 'preact/hooks';
import { ask, textOf } from './api.js';

/** Halt and resume, with a reason for the audit trail. */
export function Orders({ state, apiKey, mayOrder }: { state: string; apiKey: string; mayOrder: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [told, setTold] = useState('');
  const next = state === 'HALTED' ? 'resume' : 'halt';
  // The dialog stays what it was when it opened: the bot may halt itself meanwhile.
  const [what, setWhat] = useState<'halt' | 'resume'>(next);
  const give = async (): Promise<void> => {
    try {
      await ask(apiKey, `safety/${what}`, { reason: reason.trim() });
      setReason('');
      setTold(what === 'halt' ? 'Halted.' : 'Resumed.');
      dialog.current?.close();
    } catch (error) {
      setTold(textOf(error));
    }
  };
  return (
    <div class="orders">
      <button
        type="button"
        class={next}
        disabled={!mayOrder}
        title={next === 'halt' ? 'Nothing is signed any more' : 'Ends the halt'}
        onClick={() => {
          setTold('');
          setWhat(next);
          dialog.current?.showModal();
        }}
      >
        {next === 'halt' ? 'Halt…' : 'Resume…'}
      </button>
      <span role="status">
        {mayOrder ? told : 'With the key of a viewer you look; an operator halts and resumes.'}
      </span>
      <dialog ref={dialog} aria-labelledby="order-title">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void give();
          }}
        >
          <h2 id="order-title">{what === 'halt' ? 'Halt the bot?' : 'Resume?'}</h2>
          <p>
            {what === 'halt'
              ? 'From now on nothing is signed. What is in flight stays there.'
              : 'The halt ends, and the bot signs again.'}
          </p>
          <label for="reason">Reason, for the audit trail</label>
          <input
            id="reason"
            required
            autofocus
            pattern=".*\S.*"
            maxLength={500}
            autocomplete="off"
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
          <p role="alert">{told}</p>
          <p class="buttons">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" class={what}>
              {what === 'halt' ? 'Halt' : 'Resume'}
            </button>
          </p>
        </form>
      </dialog>
    </div>
  );
}
