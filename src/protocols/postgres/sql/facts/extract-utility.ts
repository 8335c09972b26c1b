import { type Ast, bodyOf, constant, isAst, list, number, strings, text } from './ast.ts';
import { relation } from './extract-from.ts';
import type { CopyFact, CopyOptions, SettingFact, StatementKind, TransactionKind } from './facts.ts';
import { type Handler, nested, type Place, type Walk } from './walk.ts';

/** Bit of `DeclareCursorStmt.options` (parsenodes.h). */
const CURSOR_OPT_HOLD = 0x20;

/** Statements that are neither queries nor DDL: transactions, settings, cursors, prepared statements, COPY, EXPLAIN. */
export const UTILITY_HANDLERS: Readonly<Record<string, Handler>> = {
  TransactionStmt: (walk, body, place) => transaction(walk, body, place),
  VariableSetStmt: (walk, body, place) => variableSet(walk, body, place),
  VariableShowStmt: (walk, body, place) => {
    note(walk, 'SHOW', 'set');
    walk.facts.settings.push({ verb: 'show', name: text(body['name']).toLowerCase(), local: false });
    walk.fields('VariableShowStmt', body, place);
  },
  ExplainStmt: (walk, body, place) => {
    note(walk, 'EXPLAIN', 'query');
    const on = (name: string) => optionOn(body['options'], name);
    walk.facts.single.explain = { analyze: on('analyze'), verbose: on('verbose') };
    walk.fields('ExplainStmt', body, place);
  },
  PrepareStmt: (walk, body, place) => {
    note(walk, 'PREPARE', 'prepared');
    walk.facts.single.prepares = text(body['name']);
    walk.fields('PrepareStmt', body, place);
  },
  ExecuteStmt: (walk, body, place) => {
    note(walk, 'EXECUTE', 'prepared');
    walk.facts.single.executes = text(body['name']);
    walk.fields('ExecuteStmt', body, { ...place, top: false });
  },
  DeallocateStmt: (walk, body, place) => {
    note(walk, body['isall'] === true ? 'DEALLOCATE ALL' : 'DEALLOCATE', 'prepared');
    walk.facts.single.deallocates = text(body['name']);
    walk.fields('DeallocateStmt', body, place);
  },
  DeclareCursorStmt: (walk, body, place) => {
    note(walk, 'DECLARE CURSOR', 'cursor');
    walk.facts.single.declares = text(body['portalname']);
    walk.facts.single.holdable = (number(body['options']) & CURSOR_OPT_HOLD) !== 0;
    walk.fields('DeclareCursorStmt', body, place);
  },
  FetchStmt: (walk, body, place) => {
    note(walk, body['ismove'] === true ? 'MOVE' : 'FETCH', 'cursor');
    walk.facts.single.fetches = text(body['portalname']);
    walk.fields('FetchStmt', body, place);
  },
  ClosePortalStmt: (walk, body, place) => {
    note(walk, body['portalname'] === undefined ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR', 'cursor');
    walk.facts.single.closes = text(body['portalname']);
    walk.fields('ClosePortalStmt', body, place);
  },
  CopyStmt: (walk, body, place) => copy(walk, body, place),
  CallStmt: (walk, body, place) => {
    note(walk, 'CALL', 'utility');
    walk.facts.call = true;
    const call = isAst(body['funccall']) ? body['funccall'] : {};
    walk.facts.function(strings(call['funcname']), 'procedure', -1);
    // The call itself is noted; what stands in its arguments is called besides.
    const inner = { ...place, top: false };
    walk.fields('CallStmt', body, inner, { funccall: () => walk.fields('FuncCall', call, inner) });
  },
  DoStmt: (walk, body, place) => {
    note(walk, 'DO', 'utility');
    walk.facts.opaque = 'DO';
    walk.fields('DoStmt', body, place);
  },
  ListenStmt: channel('listen', 'LISTEN'),
  UnlistenStmt: channel('unlisten', 'UNLISTEN'),
  NotifyStmt: channel('notify', 'NOTIFY'),
  DiscardStmt: (walk, body, place) => discard(walk, body, place),
  ConstraintsSetStmt: (walk, body, place) => {
    note(walk, 'SET CONSTRAINTS', 'transaction');
    // These name constraints, though the tree calls them relations.
    walk.fields('ConstraintsSetStmt', body, place, { constraints: () => undefined });
  },
  LockStmt: (walk, body, place) => {
    note(walk, 'LOCK TABLE', 'utility');
    walk.fields('LockStmt', body, { ...place, role: 'lock' });
  },
  TruncateStmt: (walk, body, place) => {
    note(walk, 'TRUNCATE TABLE', 'dml');
    walk.facts.cascade = body['behavior'] === 'DROP_CASCADE';
    walk.fields('TruncateStmt', body, { ...place, role: 'truncate' });
  },
};

/** The outermost statement names itself; what it wraps does not. */
export function note(walk: Walk, tag: string, kind: StatementKind): void {
  if (walk.facts.tag !== '') return;
  walk.facts.tag = tag;
  walk.facts.kind = kind;
}

const TRANSACTIONS: Readonly<Record<string, readonly [string, TransactionKind]>> = {
  TRANS_STMT_BEGIN: ['BEGIN', 'begin'],
  TRANS_STMT_START: ['START TRANSACTION', 'begin'],
  TRANS_STMT_COMMIT: ['COMMIT', 'commit'],
  TRANS_STMT_ROLLBACK: ['ROLLBACK', 'rollback'],
  TRANS_STMT_SAVEPOINT: ['SAVEPOINT', 'savepoint'],
  TRANS_STMT_RELEASE: ['RELEASE', 'release'],
  TRANS_STMT_ROLLBACK_TO: ['ROLLBACK', 'rollback-to'],
  TRANS_STMT_PREPARE: ['PREPARE TRANSACTION', 'prepare'],
  TRANS_STMT_COMMIT_PREPARED: ['COMMIT PREPARED', 'commit-prepared'],
  TRANS_STMT_ROLLBACK_PREPARED: ['ROLLBACK PREPARED', 'rollback-prepared'],
};

function transaction(walk: Walk, body: Ast, place: Place): void {
  const found = TRANSACTIONS[text(body['kind'])];
  if (found === undefined) return walk.facts.refuse('a transaction command of unknown kind');
  note(walk, found[0], 'transaction');
  walk.facts.transaction = found[1];
  walk.fields('TransactionStmt', body, place);
}

function variableSet(walk: Walk, body: Ast, place: Place): void {
  const kind = text(body['kind']);
  const verb =
    kind === 'VAR_RESET' || kind === 'VAR_RESET_ALL' || kind === 'VAR_SET_DEFAULT' ? 'reset' : 'set';
  note(walk, kind.startsWith('VAR_RESET') ? 'RESET' : 'SET', 'set');
  if (kind === 'VAR_SET_MULTI') {
    if (text(body['name']).startsWith('TRANSACTION') || body['name'] === 'SESSION CHARACTERISTICS') {
      if (walk.facts.tag === 'SET') walk.facts.kind = 'transaction';
    } else walk.facts.refuse('a SET of unknown kind');
  } else {
    walk.facts.settings.push(setting(body, kind, verb));
  }
  walk.fields('VariableSetStmt', body, place);
}

function setting(body: Ast, kind: string, verb: 'set' | 'reset'): SettingFact {
  const args = list(body['args']);
  const value = args.length === 1 && kind === 'VAR_SET_VALUE' ? constant(args[0]) : undefined;
  const name = kind === 'VAR_RESET_ALL' ? 'all' : text(body['name']).toLowerCase();
  const schemas = name === 'search_path' && kind === 'VAR_SET_VALUE' ? listOf(args) : undefined;
  return {
    verb,
    name,
    ...(typeof value === 'string' ? { value } : {}),
    ...(schemas === undefined ? {} : { schemas }),
    local: body['is_local'] === true,
  };
}

/** Each entry of the list is a name, quoted or not: `'a, b'` is one. */
function listOf(args: readonly unknown[]): string[] | undefined {
  const names = args.map((arg) => bodyOf(arg, 'A_Const')?.['sval']);
  return names.every(isAst) ? names.map((name) => text(name['sval'])) : undefined;
}

/** An option of EXPLAIN: given without a value means on; only a plain "off" switches it off. */
function optionOn(options: unknown, name: string): boolean {
  let on = false;
  for (const entry of list(options)) {
    const option = bodyOf(entry, 'DefElem');
    if (text(option?.['defname']).toLowerCase() !== name) continue;
    const value = option?.['arg'] === undefined ? 'on' : constant(option['arg']);
    // One "on" anywhere is enough: PostgreSQL takes the last of several, we take the worst.
    on ||= !(typeof value === 'string' && /^(off|false|0)$/i.test(value));
  }
  return on;
}

function copy(walk: Walk, body: Ast, place: Place): void {
  note(walk, 'COPY', 'copy');
  const direction = body['is_from'] === true ? 'in' : 'out';
  const columns = body['attlist'] === undefined ? undefined : strings(body['attlist']);
  const subject = body['relation'];
  const index = isAst(subject)
    ? relation(walk, subject, direction === 'in' ? 'copy-in' : 'copy-out', {
        columns,
        counted: direction === 'in',
      })
    : undefined;
  if (index !== undefined && direction === 'out' && isAst(subject))
    relation(walk, subject, 'read', { columns });
  const fact: CopyFact = {
    direction,
    target: body['is_program'] === true ? 'program' : body['filename'] === undefined ? 'client' : 'file',
    ...(index === undefined ? {} : { relation: index }),
    ...(columns === undefined ? {} : { columns }),
    options: copyOptions(body['options']),
  };
  walk.facts.copy = fact;
  walk.fields('CopyStmt', body, place, {
    relation: () => undefined,
    query: (value) => walk.visit(value, nested(place)),
  });
}

const COPY_DEFAULTS: Readonly<
  Record<CopyOptions['format'], Pick<CopyOptions, 'delimiter' | 'null' | 'quote'>>
> = {
  text: { delimiter: '\t', null: '\\N', quote: '' },
  csv: { delimiter: ',', null: '', quote: '"' },
  binary: { delimiter: '', null: '', quote: '' },
};
const COPY_UNDERSTOOD = new Set(['format', 'delimiter', 'null', 'quote', 'escape', 'header', 'encoding']);
/** They change nothing in how a row is read. */
const COPY_HARMLESS = new Set(['force_quote', 'force_not_null', 'force_null', 'freeze']);
const UTF8 = /^utf[-_ ]?8$|^unicode$/i;

/** Undefined if one is not understood, or given twice. */
function copyOptions(options: unknown): CopyOptions | undefined {
  const given = new Map<string, string>();
  for (const entry of list(options)) {
    const option = bodyOf(entry, 'DefElem');
    const name = text(option?.['defname']).toLowerCase();
    if (COPY_HARMLESS.has(name)) continue;
    const value = option?.['arg'] === undefined ? 'true' : constant(option['arg']);
    if (typeof value !== 'string' || given.has(name)) return undefined;
    given.set(name, value);
  }
  return copyOptionsOf(given);
}

function copyOptionsOf(given: ReadonlyMap<string, string>): CopyOptions | undefined {
  const format = given.get('format')?.toLowerCase() ?? 'text';
  if (format !== 'text' && format !== 'csv' && format !== 'binary') return undefined;
  if ([...given.keys()].some((name) => !COPY_UNDERSTOOD.has(name))) return undefined;
  if (!UTF8.test(given.get('encoding') ?? 'utf8')) return undefined;
  const { delimiter, null: nothing, quote } = COPY_DEFAULTS[format];
  const quoted = given.get('quote') ?? quote;
  const options: CopyOptions = {
    format,
    delimiter: given.get('delimiter') ?? delimiter,
    null: given.get('null') ?? nothing,
    quote: quoted,
    // The quote, unless it is given.
    escape: given.get('escape') ?? quoted,
    header: !/^(off|false|0)$/i.test(given.get('header') ?? 'off'),
  };
  return [options.delimiter, options.quote, options.escape].every(isOctet) ? options : undefined;
}

function isOctet(character: string): boolean {
  return Buffer.byteLength(character) <= 1;
}

function channel(verb: 'listen' | 'unlisten' | 'notify', tag: string): Handler {
  return (walk, body, place) => {
    note(walk, tag, 'utility');
    walk.facts.single.channel = { verb, name: text(body['conditionname']) };
    walk.fields(`${tag.charAt(0)}${tag.slice(1).toLowerCase()}Stmt`, body, place);
  };
}

function discard(walk: Walk, body: Ast, place: Place): void {
  const kind = {
    DISCARD_ALL: 'all',
    DISCARD_PLANS: 'plans',
    DISCARD_SEQUENCES: 'sequences',
    DISCARD_TEMP: 'temp',
  }[text(body['target'])] as 'all' | 'plans' | 'sequences' | 'temp' | undefined;
  if (kind === undefined) return walk.facts.refuse('a DISCARD of unknown kind');
  note(walk, `DISCARD ${kind.toUpperCase()}`, 'set');
  walk.facts.single.discards = kind;
  if (kind === 'all') {
    walk.facts.settings.push({ verb: 'reset', name: 'all', local: false });
    walk.facts.settings.push({ verb: 'reset', name: 'session_authorization', local: false });
  }
  walk.fields('DiscardStmt', body, place);
}
