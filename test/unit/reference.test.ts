import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT_TEXTS } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { nameOf } from '../../src/cli/program.ts';
import { ERROR_TABLE } from '../../src/core/errors.ts';
import { referencePages } from '../reference/pages.ts';
import { ROOT } from '../support/source-tree.ts';

describe('docs/reference', () => {
  const pages = referencePages();

  it.each(Object.keys(pages))(
    '%s is what the code says (write it anew with `npm run docs:reference`)',
    (path) => {
      expect(readFileSync(join(ROOT, path), 'utf8')).toBe(pages[path]);
    },
  );

  it('has no page that nothing makes', () => {
    expect(globSync('docs/reference/*', { cwd: ROOT }).toSorted()).toEqual(Object.keys(pages).toSorted());
  });

  it('docs/troubleshooting.md has a word on every exit code and SQLSTATE', () => {
    const text = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8');
    const [, byExit = '', bySqlstate = ''] = text.split(/^## By (?:exit code|SQLSTATE)$/m);
    const states = pages['docs/reference/errors.md']!.matchAll(/^\| `([0-9A-Z]{5})` \|/gm);
    for (const code of Object.keys(EXIT_TEXTS).filter((one) => one !== '0'))
      expect(byExit).toContain(`\n### ${code}: `);
    for (const [, state] of states) expect(bySqlstate).toMatch(new RegExp(`^\\|[^|]*\`${state}\``, 'm'));
  });

  it('has everything that it is about', () => {
    for (const spec of COMMANDS)
      expect(pages['docs/reference/cli.md']).toContain(`\n### hoopctl ${nameOf(spec)}\n`);
    for (const name of Object.keys(ERROR_TABLE))
      expect(pages['docs/reference/errors.md']).toContain(`| \`${name}\` |`);
    expect(pages['docs/reference/configuration.md']).toContain('| `resources.*.protocol` |');
    expect(pages['docs/reference/events.md']).toContain('| `durationMs?` | `number` |');
  });
});
