/**
 * A summary of a run as Markdown, for a job's page. Pure. Whatever strangers wrote stands in code spans: it can be neither markup,
 * nor a link, an image or a row of its own.
 */
import { visible } from '../render/text.ts';
import { DEFAULT_DENY, type ResourceSummary, type RunSummary, type ToldOperation } from './summary.ts';

const MAX_TEXT = 200;
const MAX_VALUES = 5;
/** What of a platform's attributes a reader looks for first. */
const PROVENANCE = [
  'repository',
  'projectPath',
  'workflow',
  'workflowRef',
  'ciConfigRefUri',
  'ref',
  'sha',
  'runId',
  'runAttempt',
  'pipelineId',
  'jobId',
  'namespace',
  'serviceAccount',
  'pod',
  'podUid',
  'actor',
  'userLogin',
  'model',
  'modelVersion',
];

/** @see https://github.github.com/gfm/#code-spans */
export function summaryMarkdown(summary: RunSummary): string {
  const { run, resources, changes, refusals, leftOut, incomplete, from, until } = summary;
  const masked = resources.reduce((sum, { maskedValues }) => sum + maskedValues, 0);
  return [
    '## What this run did through the gateway',
    '',
    `${[`Run ${code(run)}`, ...summary.who.slice(0, MAX_VALUES).map((who) => `by ${code(who)}`), `${summary.sessions} session${summary.sessions === 1 ? '' : 's'}`].join(', ')}${from === '' ? '' : `, ${from} to ${until}`}.`,
    '',
    ...provenance(summary),
    ...counts(resources),
    ...section('Changed', ['when', 'resource', 'what', 'rows', 'outcome'], changes, (one) => [
      one.at,
      code(one.resource),
      code(one.text),
      ...outcomeCells(one),
    ]),
    ...section('Refused', ['when', 'resource', 'what', 'rule', 'why', 'what to do'], refusals, (one) => [
      one.at,
      code(one.resource),
      code(one.text),
      one.rule === DEFAULT_DENY ? 'default: no rule permits it' : code(one.rule ?? ''),
      code(one.reason ?? ''),
      code(one.hint ?? ''),
    ]),
    masked === 0 ? 'No value was masked.' : `${masked} values were masked in what was read.`,
    ...(leftOut === 0
      ? []
      : ['', `${leftOut} more are not listed: see ${code(`hoopctl audit search --run ${run}`)}.`]),
    ...(incomplete
      ? [
          '',
          '**Not all is counted**: the run has more events than a summary looks at; the oldest are missing.',
        ]
      : []),
    '',
  ].join('\n');
}

/** Attested by the platform that the job runs on: signed, and not what the job says of itself. */
function provenance({ attested }: RunSummary): readonly string[] {
  const known = PROVENANCE.filter((name) => attested[name] !== undefined);
  if (known.length === 0) return [];
  const row = (name: string) =>
    `| ${name} | ${attested[name]!.slice(0, MAX_VALUES).map(code).join(' ')}${attested[name]!.length > MAX_VALUES ? ' …' : ''} |`;
  return ['| attested | |', '| --- | --- |', ...known.map(row), ''];
}

function counts(resources: readonly ResourceSummary[]): readonly string[] {
  if (resources.length === 0) return ['Nothing was asked of any resource.', ''];
  return [
    '| resource | operations | read | changed | other | refused | held | failed | rows read | rows changed | values masked |',
    '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |',
    ...resources.map((one) =>
      row([
        code(one.resource),
        ...[
          one.operations,
          one.read,
          one.changed,
          one.other,
          one.refused,
          one.held,
          one.failed,
          one.rowsRead,
          one.rowsChanged,
          one.maskedValues,
        ].map(String),
      ]),
    ),
    '',
  ];
}

function section(
  title: string,
  headings: readonly string[],
  operations: readonly ToldOperation[],
  cells: (operation: ToldOperation) => readonly string[],
): readonly string[] {
  if (operations.length === 0) return [];
  return [
    `### ${title}`,
    '',
    row(headings),
    row(headings.map(() => '---')),
    ...operations.map((one) => row(cells(one))),
    '',
  ];
}

/** Rows, and what came of it; of what failed no row remains changed. */
function outcomeCells({ rows, outcome, status, reason }: ToldOperation): readonly string[] {
  if (outcome !== 'failure') return [String(rows ?? ''), code(outcome ?? '')];
  return ['', code([outcome, status, reason].filter(Boolean).join(': '))];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/**
 * A code span that holds the text whatever is in it. A bar would end the table's cell even there, and a backslash before the one that
 * keeps it from that would take its effect away.
 */
function code(value: string): string {
  const characters = [...visible(value.replace(/\s+/g, ' ').trim())];
  const short =
    characters.length > MAX_TEXT ? `${characters.slice(0, MAX_TEXT).join('')}…` : characters.join('');
  const text = short.replace(/(\\*)\|/g, (_, slashes: string) => (slashes === '' ? '\\|' : `${slashes} \\|`));
  if (text === '') return '';
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}
