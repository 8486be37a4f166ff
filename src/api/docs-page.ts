/**
 * The page of the API document. It asks for a key, fetches the document with it, and shows it. The key stays
 * in the memory of the page. Everything comes from this process, as the Content-Security-Policy wants it: no
 * script is in the page itself.
 */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Chimera API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/api/docs/swagger-ui.css" />
    <script src="/api/docs/swagger-ui-bundle.js" defer></script>
    <script src="/api/docs/docs.js" defer></script>
  </head>
  <body>
    <main id="ask" class="swagger-ui" style="max-width: 30rem; margin: 4rem auto; padding: 0 1rem">
      <h1>Chimera API</h1>
      <label for="key">A key of <code>api.keys</code>, of a viewer or an operator</label>
      <p><input id="key" type="password" autocomplete="off" /> <button id="open" class="btn">Open</button></p>
      <p id="problem" role="alert"></p>
    </main>
    <div id="document"></div>
  </body>
</html>
`;

/** What the page does. */
export const DOCS_SCRIPT = `'use strict';
const at = (id) => document.getElementById(id);

async function open() {
  const key = at('key').value.trim();
  const answer = await fetch('/api/docs-json', { headers: { Authorization: 'Bearer ' + key } });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message);
  at('ask').remove();
  const ui = SwaggerUIBundle({
    spec: body,
    dom_id: '#document',
    validatorUrl: null,
    onComplete: () => ui.preauthorizeApiKey('key', key),
  });
}

const tell = (error) => (at('problem').textContent = error.message);
at('open').addEventListener('click', () => open().catch(tell));
at('key').addEventListener('keydown', ({ key }) => key === 'Enter' && open().catch(tell));
`;
