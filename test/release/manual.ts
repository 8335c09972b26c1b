/** Man pages of the programs, one of each and one of each command, made from the tables of commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { EXIT_TEXTS } from '../../src/cli/command.ts';
import {
  type CommandPage,
  hoopctlManual,
  hoopdManual,
  type Manual,
  type Term,
} from '../reference/command-pages.ts';
import { ROOT } from '../support/source-tree.ts';
import type { Entry } from './entries.ts';

/** Commands for everybody are in section 1, those of an administrator in 8. */
type Section = 1 | 8;

/** Below `share/man`, compressed as Debian has them. */
export function manPages(name: Manual['name'], seconds: number): readonly Entry[] {
  const manual = name === 'hoopctl' ? hoopctlManual() : hoopdManual();
  return manualTexts(manual, seconds).map(({ file, text }) => ({
    path: `share/man/man${sectionOf(manual)}/${file}.gz`,
    data: gzipSync(text, { level: 9 }),
  }));
}

/**
 * Every page as `man` reads it: `hoopctl.1`, `hoopctl-audit-search.1`.
 *
 * @param seconds Since 1970: the date at the foot.
 */
export function manualTexts(
  manual: Manual,
  seconds: number,
): readonly { readonly file: string; readonly text: string }[] {
  const section = sectionOf(manual);
  const date = new Date(seconds * 1000).toISOString().slice(0, 10);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const foot = `"${date}" "${manual.name} ${version}" ""`;
  const file = (name: string) => `${name.replaceAll(' ', '-')}.${section}`;
  return [
    { file: file(manual.name), text: programPage(manual, section, foot) },
    ...manual.pages.map((page) => ({
      file: file(page.name),
      text: commandPage(page, manual, section, foot),
    })),
  ];
}

function sectionOf({ name }: Manual): Section {
  return name === 'hoopctl' ? 1 : 8;
}

function programPage(manual: Manual, section: Section, foot: string): string {
  const { name, summary, pages } = manual;
  const commands = pages.map((page) => ({ term: page.name, text: page.summary }));
  return page(name, section, foot, [
    ['NAME', [`${escaped(name)} \\- ${escaped(lowered(summary))}`]],
    ['SYNOPSIS', [`${bold(name)} ${escaped('command [options]')}`]],
    [
      'DESCRIPTION',
      [escaped(`${summary.replace(/\.$/, '')}. Each command has a page of its own, and --help.`)],
    ],
    ['COMMANDS', commands.flatMap(listed)],
    ['EXIT STATUS', name === 'hoopctl' ? exits(Object.entries(EXIT_TEXTS)) : exits(pageExits())],
    ['ENVIRONMENT', name === 'hoopctl' ? environment().flatMap(listed) : []],
    ['SEE ALSO', [pages.map((one) => reference(one.name, section)).join(', ')]],
  ]);
}

function commandPage(one: CommandPage, manual: Manual, section: Section, foot: string): string {
  const [, usage = ''] = /^\S+ (.*)$/.exec(one.usage) ?? [];
  const description = (one.description ?? `${raised(one.summary)}.`).split('\n');
  return page(one.name.replaceAll(' ', '-'), section, foot, [
    ['NAME', [`${escaped(one.name.replaceAll(' ', '-'))} \\- ${escaped(one.summary)}`]],
    ['SYNOPSIS', [`${bold(manual.name)} ${escaped(usage)}`]],
    ['DESCRIPTION', description.map(escaped)],
    ['ARGUMENTS', one.arguments.flatMap(listed)],
    ['OPTIONS', one.options.flatMap(listed)],
    ['EXIT STATUS', [...exits(one.exits), ...(one.ownExit ? ownExit() : [])]],
    ['EXAMPLES', ['.nf', ...one.examples.map(escaped), '.fi'].filter(() => one.examples.length > 0)],
    ['SEE ALSO', [reference(manual.name, section)]],
  ]);
}

function page(
  name: string,
  section: Section,
  foot: string,
  parts: readonly (readonly [title: string, lines: readonly string[]])[],
): string {
  const told = parts
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([title, lines]) => [`.SH ${title}`, ...lines]);
  return `${[`.TH ${name.toUpperCase()} ${section} ${foot}`, '.nh', '.ad l', ...told].join('\n')}\n`;
}

function listed({ term, text }: Term): readonly string[] {
  return ['.TP', bold(term), escaped(text === '' ? '\u00a0' : text)];
}

function exits(codes: readonly (readonly [code: number | string, text: string])[]): readonly string[] {
  return codes.flatMap(([code, text]) => listed({ term: String(code), text }));
}

function ownExit(): readonly string[] {
  return ['.PP', escaped("With a command behind --: the command's own code, 128+n if signal n ended it.")];
}

function reference(name: string, section: Section): string {
  return `${bold(name.replaceAll(' ', '-'))}(${section})`;
}

/** The table below "Environment" in hoopctl's page. @throws {Error} where it is gone. */
function environment(): readonly Term[] {
  return tableBelow('docs/cli.md', 'Environment');
}

function pageExits(): readonly (readonly [string, string])[] {
  return tableBelow('docs/operations.md', 'Exit codes').map(({ term, text }) => [term, text]);
}

function tableBelow(path: string, title: string): readonly Term[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const [, part = ''] = text.split(new RegExp(`^## ${title}\n`, 'm'));
  const rows = (part.split(/^## /m)[0] ?? '').matchAll(/^\| (?!---|variable|code)(.+?) \| (.+) \|$/gm);
  const terms = [...rows].map(([, term = '', said = '']) => ({ term: plain(term), text: plain(said) }));
  if (terms.length === 0) throw new Error(`${path} has no table below "${title}"`);
  return terms;
}

/** Without Markdown's marks. */
function plain(text: string): string {
  return text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

/** What roff would take for its own: backslashes, hyphens, and a point or quote that begins a line. */
function escaped(text: string): string {
  const marked = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('"', '\\(dq');
  return /^[.]/.test(marked) ? `\\&${marked}` : marked;
}

function lowered(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`.replace(/\.$/, '');
}

function raised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
