import { HoopError } from '../../core/errors.ts';
import { AgentClient, type Answer, type TunnelAccess } from '../client.ts';
import type { Hoopctl } from '../hoopctl.ts';
import { countLeaks } from '../leaks.ts';
import type { Stage } from '../stage.ts';
import { type Check, type Story, table } from '../story.ts';
import { Approver } from './approver.ts';
import { signIn } from './sign-in.ts';

export const AGENT = 'shop-copilot';
export const RESOURCE = 'pg-demo';

/** What the agent did, counted at its own end. */
export interface AgentWork {
  readonly statements: number;
  readonly allowed: number;
  readonly denied: number;
  readonly leakedValues: number;
  /** Texts in order of sending, to be found again in audit and replay. */
  readonly texts: readonly string[];
}

export async function agentSignsIn(stage: Stage, story: Story, hoopctl: Hoopctl): Promise<void> {
  story.say('It has no password. It shows a code; Ada, a developer, enters it in her browser and confirms.');
  const done = await signIn(stage, story, hoopctl, 'ada', ['--agent', AGENT, '--model', 'demo-model']);
  story.say(
    `Ada confirmed: hoopctl is ${String(done['name'])} for ${String(done['person'])}, with a key of its own.`,
  );
}

/** Opens the tunnel, plays every statement, closes it again. */
export async function agentWorks(
  stage: Stage,
  story: Story,
  hoopctl: Hoopctl,
  check: Check,
  grace: Hoopctl,
): Promise<AgentWork> {
  story.typed('$', `hoopctl connect ${RESOURCE}`);
  const tunnel = hoopctl.start('connect', RESOURCE, '--reason', 'a look at late orders', '--json');
  const access = tunnelAccess(await tunnel.answer((value) => value['kind'] === 'listening'));
  story.showed(`listening on 127.0.0.1:${access.port}, with a password that only this tunnel knows`);
  const client = await AgentClient.connect(access);
  try {
    const script = new Script(client, story, check);
    await readRows(script, story);
    await tryWhatIsForbidden(script, story);
    await changeOneRow(script, story);
    await changeSchema(script, story, await Approver.signedIn(stage, story, grace, check));
    await readEverything(script, story);
    return { ...script.counted(), leakedValues: countLeaks(client.tap.bytes(), stage.shop.secrets) };
  } finally {
    await client.end().catch(() => undefined);
    await tunnel.stop();
  }
}

function tunnelAccess(value: Record<string, unknown>): TunnelAccess {
  const { port, user, password, database } = value;
  if (typeof port !== 'number') throw new HoopError('ERR_INTERNAL', 'hoopctl connect named no port');
  return { port, user: String(user), password: String(password), database: String(database) };
}

async function readRows(script: Script, story: Story): Promise<void> {
  story.say('It reads. Classified columns come masked; in the free text of "note", what the detectors find.');
  await script.allowed('SELECT id, name, email, phone, ssn FROM customers ORDER BY id LIMIT 4');
  await script.allowed('SELECT id, note FROM customers WHERE id = ANY($1) ORDER BY id', [[1, 4, 5]]);
  await script.allowed(
    'SELECT o.id, c.name, p.card, p.amount_cents FROM orders o JOIN customers c ON c.id = o.customer_id' +
      ' JOIN payments p ON p.order_id = o.id ORDER BY o.id LIMIT 3',
  );
}

async function tryWhatIsForbidden(script: Script, story: Story): Promise<void> {
  story.say('It tries what it should not. Each refusal says which rule spoke and what to do instead.');
  await script.denied('DROP TABLE orders');
  await script.denied('DELETE FROM payments');
  await script.denied('UPDATE orders SET status = $1 WHERE 1 = 1', ['shipped']);
  await script.denied("SELECT id, name FROM customers WHERE ssn LIKE '278-%'");
}

async function changeOneRow(script: Script, story: Story): Promise<void> {
  story.say('It does what it is here for: one order, by its number.');
  await script.allowed('UPDATE orders SET status = $1 WHERE id = $2', ['shipped', 7]);
  await script.allowed('SELECT id, status FROM orders WHERE id = 7');
}

/** A statement waits until somebody has said yes to exactly it; the next one is asked again. */
async function changeSchema(script: Script, story: Story, grace: Approver): Promise<void> {
  story.say(
    'It asks for a change of the schema. The statement waits; Grace sees exactly what would run, and by whom.',
  );
  const altered = script.allowed('ALTER TABLE orders ADD COLUMN carrier text');
  await grace.approves();
  await altered;
  story.say('Her yes was for that statement, once. The next one is asked again.');
  const refused = script.denied('ALTER TABLE orders ADD COLUMN tracking text');
  await grace.denies('one column is enough; put the number into carrier');
  await refused;
}

/** So that every planted value has its chance to leak, in text and in binary-safe forms. */
async function readEverything(script: Script, story: Story): Promise<void> {
  story.say('It reads everything there is, so that every planted value has its chance to leak.');
  await script.allowed('SELECT id, name, email, phone, ssn, city, note FROM customers', undefined, 2);
  await script.allowed('SELECT id, order_id, card, amount_cents FROM payments WHERE id > $1', [0], 2);
}

/** Sends statements one by one, shows what came back, and counts. */
class Script {
  readonly #client: AgentClient;
  readonly #story: Story;
  readonly #check: Check;
  readonly #texts: string[] = [];
  #allowed = 0;
  #denied = 0;

  constructor(client: AgentClient, story: Story, check: Check) {
    this.#client = client;
    this.#story = story;
    this.#check = check;
  }

  async allowed(text: string, values?: readonly unknown[], shown = 4): Promise<void> {
    const answer = await this.#ask(text, values);
    this.#check(answer.ok, `refused, although allowed: ${text}${answer.ok ? '' : ` (${answer.message})`}`);
    if (answer.ok) {
      const rows = table(answer.names, answer.rows.slice(0, shown));
      const more = answer.rows.length > shown ? `\n… ${answer.rows.length} rows` : '';
      this.#story.showed(answer.names.length === 0 ? changed(answer.count) : rows + more);
    }
  }

  async denied(text: string, values?: readonly unknown[]): Promise<void> {
    const answer = await this.#ask(text, values);
    this.#check(!answer.ok && answer.sqlstate === '42501', `not refused with 42501: ${text}`);
    if (!answer.ok) this.#story.refused(`ERROR ${answer.sqlstate}: ${answer.message}`, adviceOf(answer.hint));
  }

  counted(): Omit<AgentWork, 'leakedValues'> {
    return {
      statements: this.#texts.length,
      allowed: this.#allowed,
      denied: this.#denied,
      texts: this.#texts,
    };
  }

  async #ask(text: string, values: readonly unknown[] | undefined): Promise<Answer> {
    const shown = (values ?? []).reduce<string>(
      (sql, value, i) => sql.replace(`$${i + 1}`, spell(value)),
      text,
    );
    this.#story.typed(AGENT, shown);
    this.#texts.push(text);
    const answer = await this.#client.ask(text, values);
    if (answer.ok) this.#allowed++;
    else this.#denied++;
    return answer;
  }
}

const changed = (count: number) => (count === 0 ? 'done' : `${count} row changed`);

/** The gateway's hint is one line of JSON for agents; a person wants its sentence. */
function adviceOf(hint: string): string {
  try {
    return `HINT ${String((JSON.parse(hint) as { hint?: unknown }).hint)}`;
  } catch {
    return `HINT ${hint}`;
  }
}

function spell(value: unknown): string {
  if (Array.isArray(value)) return `'{${value.join(',')}}'`;
  return typeof value === 'number' ? String(value) : `'${String(value)}'`;
}
