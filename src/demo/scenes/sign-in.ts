import type { Hoopctl } from '../hoopctl.ts';
import { approveByBrowser } from '../idp-browser.ts';
import type { Stage } from '../stage.ts';
import type { Story } from '../story.ts';

/** Device login (RFC 8628) by the real hoopctl; a person approves on the provider's own pages. */
export async function signIn(
  stage: Stage,
  story: Story,
  hoopctl: Hoopctl,
  login: string,
  args: readonly string[],
) {
  const where = ['--gateway', stage.gateway.url, '--ca', stage.caFile];
  story.typed('$', `hoopctl login --gateway ${stage.gateway.url} ${args.join(' ')}`.trimEnd());
  const running = hoopctl.start('login', ...where, ...args, '--json');
  const code = await running.answer((value) => value['kind'] === 'device-code');
  const userCode = String(code['userCode']);
  story.showed(`open ${String(code['verificationUri'])} and enter ${userCode}`);
  await approveByBrowser(stage.idp.issuer, userCode, login);
  const done = await running.answer((value) => value['kind'] === 'logged-in');
  await running.finished;
  return done;
}
