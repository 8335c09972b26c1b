import type { Failures } from './verdict.ts';

/** One case that was tried. */
export interface Tried {
  readonly name: string;
  readonly resource: string;
  readonly failures: Failures;
  /** What whoever reads the report should know although it is as expected. */
  readonly remark?: string;
  readonly ms: number;
}

/**
 * A report as CI systems read them. Pure.
 *
 * @param suite What is tested: the file's name.
 * @see https://github.com/testmoapp/junitxml
 */
export function junitOf(suite: string, tried: readonly Tried[]): string {
  const failed = tried.filter(({ failures }) => failures.length > 0).length;
  const total = tried.reduce((sum, { ms }) => sum + ms, 0);
  const counts = `tests="${tried.length}" failures="${failed}" errors="0" time="${seconds(total)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escaped(suite)}" ${counts}>`,
    ...tried.flatMap(caseLines),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseLines({ name, resource, failures, ms }: Tried): readonly string[] {
  const head = `    <testcase name="${escaped(name)}" classname="${escaped(resource)}" time="${seconds(ms)}"`;
  if (failures.length === 0) return [`${head}/>`];
  const [first = ''] = failures;
  return [
    `${head}>`,
    `      <failure message="${escaped(first)}">${escaped(failures.join('\n'))}</failure>`,
    '    </testcase>',
  ];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Characters that XML cannot hold are left out. @see XML 1.0 §2.2, §2.4 */
function escaped(text: string): string {
  const held = text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '');
  return held.replace(/[&<>"\t\n\r]/g, (character) => `&#${character.codePointAt(0)};`);
}
