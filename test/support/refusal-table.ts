/** The tables of `docs/refusals.md`, made from the lists that the code refuses by. Run it to write them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NEXT_STEPS } from '../../src/core/next-step.ts';
import { GENERAL_REFUSALS, type RefusalRule } from '../../src/enforcement/refusals.ts';
import { HTTP_REFUSALS } from '../../src/protocols/http/refusals.ts';
import { KUBERNETES_REFUSALS } from '../../src/protocols/kubernetes/request/refusals.ts';
import { POSTGRES_REFUSALS } from '../../src/protocols/postgres/refusals.ts';
import { SSH_REFUSALS } from '../../src/protocols/ssh/refusals.ts';
import { ROOT } from './source-tree.ts';

const PAGE = join(ROOT, 'docs/refusals.md');
const AGENT_PAGE = join(ROOT, 'docs/tutorials/agent.md');

/** What stands between `<!-- general -->` and `<!-- end -->`, and so on. */
const LISTS: Readonly<Record<string, Readonly<Record<string, RefusalRule>>>> = {
  general: GENERAL_REFUSALS,
  postgres: POSTGRES_REFUSALS,
  http: HTTP_REFUSALS,
  ssh: SSH_REFUSALS,
  kubernetes: KUBERNETES_REFUSALS,
};

/** Each page as it should be, by its path: its own text, and the tables of the code. */
export const refusalsPage = (): string => withTables(PAGE);
export const agentPage = (): string => withTables(AGENT_PAGE);

function withTables(file: string): string {
  return readFileSync(file, 'utf8').replace(
    /(<!-- (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) =>
      `${begin}\n${name === 'steps' ? stepsTable() : table(LISTS[name] ?? {})}\n\n${end}`,
  );
}

function table(rules: Readonly<Record<string, RefusalRule>>): string {
  const rows = Object.entries(rules).map(
    ([rule, { means, instead, next }]) => `| \`${rule}\` | ${means} | ${instead} | \`${next}\` |`,
  );
  return ['| rule | means | instead | `next` |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Every step, as the pages for agents have it. */
function stepsTable(): string {
  const rows = Object.entries(NEXT_STEPS).map(
    ([next, { means, act, retryable }]) =>
      `| \`${next}\` | ${means} | ${act} | ${retryable ? 'yes' : 'no'} |`,
  );
  return [
    '| `next` | what the refusal says | what to do next | the same again |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

if (import.meta.main) {
  writeFileSync(PAGE, refusalsPage());
  writeFileSync(AGENT_PAGE, agentPage());
}
