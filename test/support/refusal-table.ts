/** The tables of `docs/refusals.md`, made from the lists that the code refuses by. Run it to write them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERAL_REFUSALS, type RefusalRule } from '../../src/enforcement/refusals.ts';
import { HTTP_REFUSALS } from '../../src/protocols/http/refusals.ts';
import { KUBERNETES_REFUSALS } from '../../src/protocols/kubernetes/request/refusals.ts';
import { POSTGRES_REFUSALS } from '../../src/protocols/postgres/refusals.ts';
import { SSH_REFUSALS } from '../../src/protocols/ssh/refusals.ts';
import { ROOT } from './source-tree.ts';

const PAGE = join(ROOT, 'docs/refusals.md');

/** What stands between `<!-- general -->` and `<!-- end -->`, and so on. */
const LISTS: Readonly<Record<string, Readonly<Record<string, RefusalRule>>>> = {
  general: GENERAL_REFUSALS,
  postgres: POSTGRES_REFUSALS,
  http: HTTP_REFUSALS,
  ssh: SSH_REFUSALS,
  kubernetes: KUBERNETES_REFUSALS,
};

/** The page as it should be: its own text, and the tables of the code. */
export function refusalsPage(): string {
  return readFileSync(PAGE, 'utf8').replace(
    /(<!-- (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => `${begin}\n${table(LISTS[name] ?? {})}\n\n${end}`,
  );
}

function table(rules: Readonly<Record<string, RefusalRule>>): string {
  const rows = Object.entries(rules).map(
    ([rule, { means, instead }]) => `| \`${rule}\` | ${means} | ${instead} |`,
  );
  return ['| rule | means | instead |', '| --- | --- | --- |', ...rows].join('\n');
}

if (import.meta.main) writeFileSync(PAGE, refusalsPage());
