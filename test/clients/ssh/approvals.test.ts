/** Commands that look like others, held, and told to people by webhooks and in a browser: they see what runs, and it runs so. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Chromium } from '../../support/chromium.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("auditors-approve") forbid (principal, action == Action::"approval.grant", resource)
unless { principal in Group::"auditors" };
@id("ask") @approval("boss") forbid (principal is Agent, action == Action::"ssh.exec", resource)
when { resource.text like "echo held*" } unless { context.approvals.contains("boss") };`;

const ESC = '\u001b';
const TRICKS: Readonly<Record<string, string>> = {
  'erased, and another written': `${ESC}[2K\rls`,
  'gone back over': `${'\b'.repeat(40)}ls -l`,
  'read from right to left': '\u202e/ fr- mr\u202c \u2067x\u2069',
  'out of sight, and tags that nobody sees': `${' '.repeat(400)}\u200b\ufeff\u{e0072}`,
  'a link, a title, the clipboard': `${ESC}]52;c;cm0=\u0007${ESC}]0;ls\u0007${ESC}]8;;https://x${ESC}\\`,
  'a page, and a message of a chat': '<img src=x onerror=alert(1)> <https://x|ls> *ls* `ls` <!channel> &lt;',
};

/** What a terminal, a browser or a chat acts on, or nobody sees; line ends and common blanks aside. */
const ACTS = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

let directory: string;
let sshd: Sshd;
let stack: Stack;
let plain: WebhookReceiver;
let chat: WebhookReceiver;
let browser: Chromium;
let ada: Record<string, string>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ssh-approvals-'));
  const key = join(directory, 'key');
  writeFileSync(key, Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
  [sshd, plain, chat] = await Promise.all([startSshd(), WebhookReceiver.start(), WebhookReceiver.start()]);
  stack = await startStack({
    policy: POLICY,
    page: true,
    host: 'localhost',
    yaml: `approvals:
  wait: 60s
  webhooks: [{ url: "${plain.url}", secret: { file: ${key} } }, { url: "${chat.url}", format: slack }]`,
    resources: () => `  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }`,
  });
  ada = await stack.person('ada', ['--agent', 'copilot']);
  browser = await Chromium.start(readFileSync(join(stack.directory, 'tls.crt'), 'utf8'));
});

afterAll(async () => {
  await browser?.stop();
  await stack?.stop();
  for (const one of [plain, chat]) await one?.stop();
  await sshd?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Otto signs in at the provider's own pages, unless he has. */
async function otto(page: string): Promise<void> {
  await browser.open(page);
  const text = await eventually(
    'a page',
    () => browser.value<string>('document.body?.innerText ?? ""').catch(() => ''),
    (shown) => /Sign in|Approve as boss/.test(shown),
  );
  if (text.includes('Approve as boss')) return;
  // Of a page that is still being laid out a click may miss what moves.
  const click = () => browser.click('main a.button').catch(() => undefined);
  const goes = async () => {
    await click();
    const where = () => browser.value<string>('location.href').catch(() => '');
    return eventually('it goes', where, (at) => !at.includes('/approvals/'), { withinMs: 3_000 }).catch(
      () => '',
    );
  };
  await eventually('the provider is asked', goes, (at) => at !== '', { withinMs: 30_000 });
  await browser.shows('/interaction/');
  for (const [name, value] of [
    ['login', 'otto'],
    ['password', 'any'],
  ] as const) {
    await browser.click(`input[name="${name}"]`);
    await browser.type(value);
  }
  await browser.click('button[type="submit"]');
  await browser.shows('Continue');
  await browser.click('button[type="submit"]');
  await browser.shows('Approve as boss');
}

/** The message about a request, as octets and as whoever receives it reads it. */
async function told(receiver: WebhookReceiver, id: string): Promise<readonly string[]> {
  const about = () => receiver.received.find(({ body }) => body.includes(id))?.body;
  const body = (await eventually('it is not told', about)) ?? '';
  const texts: string[] = [body];
  JSON.parse(body, (_, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts;
}

it.each(Object.entries(TRICKS))('a command that is %s', async (_, trick) => {
  const made = join(directory, 'made');
  const command = `echo held; touch ${made} # ${trick}`;
  const hash = createHash('sha256').update(command).digest('hex');
  const ssh = stack.start(['ssh', 'host-1', '--', command], ada);
  const [, id = ''] = await ssh.until(/https:\S+\/approvals\/(apr_\w{26})/, 'stderr');
  expect(existsSync(made)).toBe(false);
  for (const receiver of [plain, chat]) {
    const texts = await told(receiver, id);
    expect(texts[0]).toContain(`touch ${made}`);
    for (const text of texts) expect(ACTS.exec(text)?.[0], text).toBeUndefined();
  }
  // What Slack takes for a link or a call to everybody begins so.
  expect((await told(chat, id)).join('')).not.toContain('<');
  await otto(`${stack.url}/approvals/${id}`);
  const page = await browser.value<string>('document.body.textContent');
  expect(page).toContain(hash);
  expect(page).toContain(`touch ${made}`);
  expect(ACTS.exec(page)?.[0], page).toBeUndefined();
  expect(await browser.value('document.querySelectorAll("img").length')).toBe(0);
  await browser.click('form[action$="/approve"] button');
  await browser.shows('approved');
  expect(await ssh.finished).toMatchObject({ exitCode: 0, stdout: 'held\n' });
  expect(existsSync(made)).toBe(true);
  expect(browser.complaints).toEqual([]);
  rmSync(made);
});
