import type { Pair } from '../../../policy/model.ts';
import { type Report, type ReportField, reportText } from '../../../wire/postgres/report.ts';
import { nameAt, type OwnName, ownNames } from './own-names.ts';
import { CONDITIONS } from './sqlstates.ts';
import { ownPosition, type WrittenAnew } from './written-anew.ts';

/** What the client has said, of which a report speaks. */
export interface Said {
  readonly text: string;
  /** What the statement would do: the objects are those that it names, among others. */
  readonly pairs: readonly Pair[];
  /** It changes the schema: it may name objects that policy has no entity for. */
  readonly ddl: boolean;
  /** What the server has been sent in its place, and speaks of. */
  readonly writtenAnew?: WrittenAnew | undefined;
}

/** Longer texts are not searched for names. */
const SEARCHED_CHARS = 65_536;
const HINT = 'the gateway says this in its own words, for values are masked for you here';

/**
 * Says an error or notice anew, of nothing but what can hold no stored value: severity and SQLSTATE if PostgreSQL knows
 * them, the position in the client's own statement, what the SQLSTATE means, and names that the statement itself has.
 *
 * Whatever else the target sends (message, detail, hint, context, internal query, object names, source location) can be
 * made by a function's author, or quote a value.
 *
 * @param report Decoded error or notice: fields in any order, repeated codes allowed.
 * @param said Undefined where the report belongs to no statement.
 * @returns Fields in protocol order, always with S, V, C and M. Pure. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function saidAnew(report: Report<string>, said: Said | undefined): readonly ReportField[] {
  const get = (code: string) => reportText(report, code);
  const severity = severityOf(get('V') ?? get('S'));
  const given = get('C') ?? 'XX000';
  const sqlstate = CONDITIONS.has(given) ? given : 'XX000';
  const isError = ERRORS.has(severity);
  const sent = positionOf(get('P'));
  const anew = said?.writtenAnew;
  const position = sent === undefined || anew === undefined ? sent : ownPosition(anew, sent);
  const { text, constraint } = new Wording({
    sqlstate,
    isError,
    position,
    message: get('M') ?? '',
    said,
  }).say();
  return [
    ['S', severity],
    ['V', severity],
    ['C', sqlstate],
    ['M', text],
    ...(position === undefined ? [] : [['P', String(position)] as const]),
    ...(isError ? [['H', HINT] as const] : []),
    ...(constraint === undefined ? [] : [['n', constraint] as const]),
  ];
}

const ERRORS: ReadonlySet<string> = new Set(['ERROR', 'FATAL', 'PANIC']);
const SEVERITIES = new Set([...ERRORS, 'WARNING', 'NOTICE', 'DEBUG', 'INFO', 'LOG']);

function severityOf(value: string | undefined): string {
  return value !== undefined && SEVERITIES.has(value) ? value : 'ERROR';
}

function positionOf(value: string | undefined): number | undefined {
  return value !== undefined && /^[1-9]\d{0,9}$/.test(value) ? Number(value) : undefined;
}

interface Asked {
  readonly sqlstate: string;
  readonly isError: boolean;
  readonly position: number | undefined;
  /** As the target worded it: only compared with what PostgreSQL is known to say, never shown. */
  readonly message: string;
  readonly said: Said | undefined;
}

interface Worded {
  readonly text: string;
  /** The constraint of which it speaks: drivers know it by a field of its own. */
  readonly constraint?: string;
}

/** How one report is worded. */
class Wording {
  readonly #asked: Asked;
  #names: readonly OwnName[] | undefined;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  say(): Worded {
    const { sqlstate, isError } = this.#asked;
    const condition = CONDITIONS.get(sqlstate) ?? '';
    const known = this.#known();
    if (known !== undefined) return known;
    const at = this.#at();
    if (at.length === 0 || !isError) return { text: condition };
    return { text: AT_NAME[sqlstate]?.(at) ?? `${condition}, at "${at.join('.')}"` };
  }

  /** The name in the client's own text at the place that the server points to. */
  #at(): string[] {
    const { said, position } = this.#asked;
    return said === undefined || position === undefined ? [] : nameAt(said.text, this.#ownNames(), position);
  }

  #ownNames(): readonly OwnName[] {
    const { said } = this.#asked;
    this.#names ??= said === undefined || said.text.length > SEARCHED_CHARS ? [] : ownNames(said.text);
    return this.#names;
  }

  /** What PostgreSQL says word for word, if the statement itself has every name in it. */
  #known(): Worded | undefined {
    const { sqlstate, message } = this.#asked;
    for (const { codes, says } of KNOWN) {
      const groups = codes.includes(sqlstate) ? says.exec(message)?.groups : undefined;
      if (groups === undefined) continue;
      const { object, column, constraint } = groups;
      if (object !== undefined && !this.#isObject(object)) continue;
      if (column !== undefined && !this.#isWritten(column)) continue;
      if (constraint !== undefined && !this.#isConstraint(constraint)) continue;
      return { text: message, ...(constraint === undefined ? {} : { constraint }) };
    }
    return undefined;
  }

  /** An object of the statement that it names itself. */
  #isObject(name: string): boolean {
    const { said } = this.#asked;
    const parts = name.split('.');
    const objects = said?.pairs.map(({ object }) => object.attrs['name']) ?? [];
    const known = said?.ddl === true || objects.includes(parts.at(-1) ?? '');
    return parts.length <= 2 && known && parts.every((part) => this.#isWritten(part));
  }

  /** As PostgreSQL itself calls them: by a table of the statement and columns that it names. */
  #isConstraint(name: string): boolean {
    const stem = OWN_CONSTRAINT.exec(name)?.groups?.['stem'] ?? '';
    const written = new Set(this.#ownNames().map((own) => own.name));
    return [...written].some(
      (table) =>
        (stem === table || (stem.startsWith(`${table}_`) && areIn(written, stem.slice(table.length + 1)))) &&
        this.#isObject(table),
    );
  }

  #isWritten(name: string): boolean {
    return this.#ownNames().some((own) => own.name === name);
  }
}

/** Whether a text is made of these names, with underscores between them. */
function areIn(names: ReadonlySet<string>, text: string): boolean {
  const starts = [0];
  for (const start of starts)
    for (let end = start; end >= 0; ) {
      end = text.indexOf('_', end + 1);
      if (!names.has(text.slice(start, end < 0 ? undefined : end))) continue;
      if (end < 0) return true;
      if (!starts.includes(end + 1)) starts.push(end + 1);
    }
  return false;
}

type AtName = (parts: readonly string[]) => string;

/** Of errors that point to a name. */
const AT_NAME: Readonly<Record<string, AtName>> = {
  '42P01': (parts) => `relation "${parts.join('.')}" does not exist`,
  '42703': (parts) => `column ${columnName(parts)} does not exist`,
  '42702': (parts) => `column reference "${parts.at(-1)}" is ambiguous`,
  '42883': (parts) => `function ${parts.join('.')} does not exist for arguments of these types`,
  '42725': (parts) => `function ${parts.join('.')} is not unique for arguments of these types`,
  '42704': (parts) => `"${parts.join('.')}" does not exist`,
  '3F000': (parts) => `schema "${parts[0]}" does not exist`,
  '42601': (parts) => `syntax error at or near "${parts[0]}"`,
  '42701': (parts) => `column "${parts.at(-1)}" exists already or is named twice`,
  '42P10': (parts) => `reference to column "${parts.at(-1)}" is not valid`,
  '428C9': (parts) => `column "${parts.at(-1)}" is generated and cannot be written`,
};

function columnName(parts: readonly string[]): string {
  return parts.length === 1 ? `"${parts[0]}"` : parts.join('.');
}

/** How PostgreSQL calls a constraint that nobody gave a name. */
const OWN_CONSTRAINT = /^(?<stem>.{1,62})_(?:pkey|key|fkey|check|excl)\d{0,2}$/;
const CONSTRAINT = '"(?<constraint>[^"]{1,63})"';

interface KnownMessage {
  readonly codes: readonly string[];
  readonly says: RegExp;
}

/** `object`: of a table, schema, function, … `column`: of a column. */
const OBJECT = '"(?<object>[^"]{1,200})"';
const KIND =
  '(?:table|view|materialized view|index|sequence|foreign table|schema|type|function|procedure|extension|relation)';

/** Messages of PostgreSQL's that speak of nothing but objects, with and without a position. */
const KNOWN: readonly KnownMessage[] = [
  { codes: ['42P01'], says: new RegExp(`^(?:relation|table|view|sequence) ${OBJECT} does not exist$`) },
  {
    codes: ['42P06', '42P07', '42710'],
    says: new RegExp(`^${KIND} ${OBJECT} already exists(?:, skipping)?$`),
  },
  { codes: ['00000'], says: new RegExp(`^${KIND} ${OBJECT} does not exist, skipping$`) },
  {
    codes: ['23502'],
    says: new RegExp(
      `^null value in column "(?<column>[^"]{1,200})" of relation ${OBJECT} violates not-null constraint$`,
    ),
  },
  {
    codes: ['42703'],
    says: new RegExp(`^column "(?<column>[^"]{1,200})" of relation ${OBJECT} does not exist$`),
  },
  {
    codes: ['42501'],
    says: /^(?:permission denied for|must be owner of) (?:table|view|sequence|schema|function|relation|materialized view) (?<object>[\w.$]{1,200})$/,
  },
  { codes: ['23505'], says: new RegExp(`^duplicate key value violates unique constraint ${CONSTRAINT}$`) },
  {
    codes: ['23503'],
    says: new RegExp(`^insert or update on table ${OBJECT} violates foreign key constraint ${CONSTRAINT}$`),
  },
  {
    codes: ['23514'],
    says: new RegExp(`^new row for relation ${OBJECT} violates check constraint ${CONSTRAINT}$`),
  },
  {
    codes: ['23P01'],
    says: new RegExp(`^conflicting key value violates exclusion constraint ${CONSTRAINT}$`),
  },
  {
    codes: ['25006'],
    says: /^cannot execute (?<verb>INSERT|UPDATE|DELETE|MERGE|TRUNCATE TABLE|(?:CREATE|ALTER|DROP) TABLE) in a read-only transaction$/,
  },
  { codes: ['25001'], says: /^(?<warning>there is already a transaction in progress)$/ },
  { codes: ['25P01'], says: /^(?<warning>there is no transaction in progress)$/ },
];
