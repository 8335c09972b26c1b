/** Every command of both programs, as their tables have them. */
import { type CommandPage, hoopctlManual, hoopdManual, type Manual } from './command-pages.ts';
import { code, page, table } from './markdown.ts';

export function cliReference(): string {
  const manuals = [hoopctlManual(), hoopdManual()];
  const intro = [
    '# Commands',
    '',
    'What each command takes, as `--help` has it. What they are for, with examples that go together: [hoopctl](../cli.md) and',
    '[Operations](../operations.md).',
  ];
  return page(intro, ...manuals.flatMap((manual) => [contents(manual), ...manual.pages.flatMap(section)]));
}

function contents({ name, pages }: Manual): readonly string[] {
  const rows = pages.map((one) => [`[${one.name}](#${one.name.replaceAll(' ', '-')})`, one.summary]);
  return [`## ${name}`, '', ...table(['command', ''], rows)];
}

function section(one: CommandPage): readonly (readonly string[])[] {
  const terms = (title: string, all: CommandPage['options']) =>
    table(
      [title, ''],
      all.map(({ term, text }) => [code(term), text]),
    );
  const ends = one.exits.map(([exit, text]) => `${exit} (${text})`).join(', ');
  const own = one.ownExit ? "; with `-- COMMAND` the command's own, 128+n if signal n ended it" : '';
  return [
    [`### ${one.name}`],
    [`${one.summary.charAt(0).toUpperCase()}${one.summary.slice(1)}.`],
    ['```', one.usage, '```'],
    one.description === undefined ? [] : [one.description],
    terms('argument', one.arguments),
    terms('option', one.options),
    one.exits.length === 0 ? [] : [`Exit codes: ${ends}${own}.`],
    one.examples.length === 0 ? [] : ['```sh', ...one.examples, '```'],
  ];
}
