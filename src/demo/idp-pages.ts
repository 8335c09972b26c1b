/**
 * The demo provider's four pages. Plain HTML with buttons inside their forms and no script, so that a text browser
 * (lynx, w3m) can approve a code as well.
 */
export interface Page {
  readonly title: string;
  readonly body: string;
}

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #f3f5f8; margin: 0; }
  main { max-width: 24rem; margin: 12vh auto 0; padding: 2rem; background: #fff; border: 1px solid #d9dfe7;
    border-radius: 8px; }
  h1 { font-size: 1.2rem; margin: 0 0 1rem; }
  p { margin: 0 0 1rem; }
  .code { font: 600 1.6rem ui-monospace, monospace; letter-spacing: .12em; }
  .error { color: #a3151f; }
  input[type=text] { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; margin-bottom: 1rem;
    border: 1px solid #9aa5b4; border-radius: 4px; }
  button { font: inherit; width: 100%; padding: .6rem; margin-bottom: .5rem; border: 1px solid #1f4f8f;
    border-radius: 4px; background: #1f5fae; color: #fff; cursor: pointer; }
  button.quiet { background: #fff; color: #1c2430; border-color: #9aa5b4; }
  small { color: #586374; }`;

/** A person of the demo. There are no passwords: whoever can reach the loopback page may be any of them. */
export interface DemoUser {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

/** Turns a page into a document. Titles and bodies must be HTML already: pass strangers' text through `escapeHtml`. */
export function renderPage(page: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${page.title}</title>
<style>${STYLE}</style>
</head>
<body><main>
<h1>${page.title}</h1>
${page.body}
</main></body>
</html>
`;
}

/** Asks for the code that hoopctl shows. `form` is the provider's own, with its anti-forgery field. */
export function enterCodePage(form: string, problem: string | undefined): Page {
  const words = problem === undefined ? '' : `<p class="error">${escapeHtml(problem)}</p>`;
  return {
    title: 'Sign in a device',
    body: `${words}<p>Enter the code that <b>hoopctl login</b> shows.</p>${withButtons(form, '<button>Continue</button>')}`,
  };
}

/** Shows the code once more: who did not just start a login must see here that somebody else did. */
export function confirmCodePage(form: string, clientName: string, userCode: string): Page {
  const buttons = `<button>Yes, this is the code I see</button>
<button class="quiet" name="abort" value="yes">No, refuse it</button>`;
  return {
    title: 'Is this your code?',
    body: `<p class="code">${escapeHtml(userCode)}</p>
<p><b>${escapeHtml(clientName)}</b> will act for you at the gateway, as far as both its policy and your own rights
allow.</p>${withButtons(form, buttons)}`,
  };
}

/** A demo has no passwords: one button per person. */
export function pickUserPage(action: string, users: readonly DemoUser[]): Page {
  const buttons = users
    .map(
      (user) =>
        `<button name="login" value="${user.login}">${user.name} (${user.groups.join(', ')})</button>`,
    )
    .join('\n');
  return {
    title: 'Who are you?',
    body: `<form method="post" action="${escapeHtml(action)}">${buttons}</form>
<p><small>A demo: nobody asks for a password here.</small></p>`,
  };
}

export function donePage(): Page {
  return { title: 'Signed in', body: '<p>Done. Go back to the terminal; this page can be closed.</p>' };
}

export function problemPage(problem: string): Page {
  return { title: 'That did not work', body: `<p class="error">${escapeHtml(problem)}</p>` };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function withButtons(form: string, buttons: string): string {
  return form.replace('</form>', `${buttons}</form>`);
}
