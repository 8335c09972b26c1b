import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { helpLines } from '../../../../src/cli/ui/view/help.ts';

const PAGE = readFileSync(new URL('../../../../docs/ui.md', import.meta.url), 'utf8');

test('the page has every key of the help, in the same words, and no other', () => {
  const help = helpLines('resources', 400)
    .filter((line) => line.length > 1)
    .map(
      ([keys, ...rest]) =>
        `| \`${keys!.text.trim()}\` | ${rest
          .map(({ text }) => text)
          .join('')
          .trim()} |`,
    );
  const page = PAGE.match(/^\| `.*$/gm) ?? [];
  expect(help.length).toBeGreaterThan(20);
  expect(page.toSorted()).toEqual(help.toSorted());
});
