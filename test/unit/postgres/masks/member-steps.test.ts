import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFieldPath } from '../../../../src/masking/json/field-path.ts';
import { FieldState } from '../../../../src/masking/json/field-states.ts';
import { isBeside } from '../../../../src/protocols/postgres/shown/column-mask.ts';
import { maskedDocument } from '../../../../src/protocols/postgres/shown/documents.ts';
import type { Expr } from '../../../../src/protocols/postgres/sql/analysis/tree.ts';
import {
  type MemberStep,
  stepsInto,
} from '../../../../src/protocols/postgres/sql/meaning/flow/member-steps.ts';

const member = (name: string): MemberStep => ({ kind: 'member', name });
const either = (name: string): MemberStep => ({ kind: 'either', name });
const element: MemberStep = { kind: 'element' };

const beside = (paths: readonly string[], steps: readonly MemberStep[]) =>
  isBeside(
    FieldState.start(paths.map((path) => ({ path: parseFieldPath(path)!, kind: 'redact' as const })))!,
    steps,
  );

describe('steps into a document', () => {
  it.each<[readonly string[], readonly MemberStep[], boolean]>([
    [['$.email'], [member('city')], true],
    [['$.email'], [member('email')], false],
    [['$.email'], [member('EMAIL')], false],
    [['$.email'], [member('email'), member('x')], false],
    [['$.email'], [member('city'), member('email')], true],
    [['$.email'], [], false],
    [['$.email'], [element], false],
    [['$.email'], [element, member('city')], true],
    [['$.email'], [element, member('email')], false],
    [['$.email'], [either('0'), either('email')], false],
    [['$.email'], [either(' +0 '), either('email')], false],
    [['$.email'], [either('0')], false],
    [['$.email'], [either('city'), either('0'), either('email')], true],
    [['$.contacts.phone'], [member('contacts')], false],
    [['$.contacts.phone'], [member('contacts'), element], false],
    [['$.contacts.phone'], [member('contacts'), element, member('kind')], true],
    [['$.contacts.phone'], [member('contacts'), element, member('phone')], false],
    [['$.contacts.phone'], [member('phone')], true],
    [['$.0.pin'], [either('0'), either('x')], true],
    [['$.0.pin'], [either('0'), either('0'), either('pin')], false],
    [['$.0.pin'], [either('1'), either('0'), either('pin')], false],
    [['$..ssn'], [member('city')], false],
    [['$.a..ssn'], [member('city')], true],
    [['$.a..ssn'], [member('a'), member('b')], false],
    [['$.*.pin'], [member('city')], false],
    [['$.*.pin'], [member('city'), member('x')], true],
    [['$.*.pin'], [member('city'), member('pin')], false],
    [['$.*'], [member('city')], false],
    [['$.email', '$.city.zip'], [member('city')], false],
    [['$.email', '$.city.zip'], [member('city'), member('name')], true],
  ])('past %j: %j leads past what is masked: %s', (paths, steps, is) => {
    expect(beside(paths, steps)).toBe(is);
  });
});

/** A step as PostgreSQL takes it: into an object by a name, into an array by digits. Undefined: NULL. */
function taken(value: unknown, step: MemberStep, index: number): unknown {
  if (Array.isArray(value)) {
    if (step.kind === 'member') return undefined;
    if (step.kind === 'element') return value.at(index);
    return /^-?\d+$/.test(step.name) ? value.at(Number(step.name)) : undefined;
  }
  if (typeof value !== 'object' || value === null || step.kind === 'element') return undefined;
  return Object.hasOwn(value, step.name) ? (value as Record<string, unknown>)[step.name] : undefined;
}

describe('steps into any document', () => {
  const names = fc.constantFrom('email', 'Email', 'x', 'y', '0', '1', 'phone');
  const paths = fc.subarray(
    ['$.email', '$.x.phone', '$.0.x', '$.*.phone', '$.x..email', '$.y.y.y', '$.1.*.email', '$..phone'],
    { minLength: 1, maxLength: 3 },
  );
  const step = fc.oneof(names.map(member), names.map(either), fc.constant(element));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('secret', 1, null),
      fc.array(tie('tree'), { maxLength: 2 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 5 }),
    ),
  }));
  const document = fc.oneof(fc.array(tree, { maxLength: 2 }), fc.dictionary(names, tree, { maxKeys: 5 }));

  it('give the same with the masks in it, wherever they lead past what is masked', () => {
    let [past, found] = [0, 0];
    fc.assert(
      fc.property(
        document,
        paths,
        fc.array(step, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: -2, max: 1 }),
        (value, masked, steps, index) => {
          const fields = FieldState.start(
            masked.map((path) => ({ path: parseFieldPath(path)!, kind: 'redact' as const })),
          )!;
          if (!isBeside(fields, steps)) return;
          const text = Buffer.from(JSON.stringify(value));
          const shown: unknown = JSON.parse(maskedDocument(text, 'json', fields)!.toString());
          const read = (from: unknown) => steps.reduce((at, one) => taken(at, one, index), from);
          const open = read(JSON.parse(text.toString()));
          past++;
          if (open !== undefined) found++;
          expect(read(shown)).toEqual(open);
        },
      ),
      { numRuns: 20_000 },
    );
    expect([past > 1000, found > 100]).toEqual([true, true]);
  });
});

const [INT4, TEXT, INT8, TEXT_ARRAY, JSONB, JSON_TYPE] = [23, 25, 20, 1009, 3802, 114];
const [ARROW, ARROW_TEXT, PATH, PATH_TEXT, OTHER, OF_JSON] = [1, 2, 3, 4, 5, 6];
const NAMES = new Map([
  [ARROW, '->'],
  [ARROW_TEXT, '->>'],
  [PATH, '#>'],
  [PATH_TEXT, '#>>'],
  [OTHER, '#-'],
]);
const typed = (type: number) => ({ type, modifier: -1 });
const column: Expr = { kind: 'Var', ...typed(JSONB), entry: 1, attribute: 2, levelsUp: 0 };
const constant = (type: number, value: string | null | undefined): Expr => ({
  kind: 'Const',
  ...typed(type),
  value,
});
const op = (operator: number, ...args: Expr[]): Expr => ({
  kind: 'OpExpr',
  ...typed(JSONB),
  operator,
  function: 0,
  returnsSet: false,
  args,
});
const subscript = (base: Expr, upper: readonly Expr[], more = {}): Expr => ({
  kind: 'SubscriptingRef',
  ...typed(JSONB),
  container: JSONB,
  base,
  upper,
  lower: [],
  assigned: undefined,
  ...more,
});
const text = (value: string) => constant(TEXT, value);
const relabelled: Expr = { kind: 'RelabelType', ...typed(JSONB), arg: column, form: 'implicit' };
const param: Expr = { kind: 'Param', ...typed(TEXT), source: 'external', number: 1 };
const read = (expr: Expr) => stepsInto(expr, (operator) => NAMES.get(operator));

describe('an expression', () => {
  it.each<[string, Expr, readonly MemberStep[]]>([
    ['a member', op(ARROW, column, text('a')), [member('a')]],
    ['a member as a text', op(ARROW_TEXT, column, text('a')), [member('a')]],
    ['an element', op(ARROW, column, constant(INT4, '0')), [element]],
    [
      'several',
      op(ARROW_TEXT, op(ARROW, op(ARROW, column, text('a')), constant(INT4, '-1')), text('b')),
      [member('a'), element, member('b')],
    ],
    ['a path', op(PATH, column, constant(TEXT_ARRAY, '{a,0,é}')), [either('a'), either('0'), either('é')]],
    ['a path to a text', op(PATH_TEXT, column, constant(TEXT_ARRAY, '{a}')), [either('a')]],
    [
      'subscripts',
      subscript(column, [text('a'), constant(INT4, '3'), text('0')]),
      [either('a'), element, either('0')],
    ],
    [
      'steps behind subscripts',
      op(ARROW, subscript(column, [text('a')]), text('b')),
      [either('a'), member('b')],
    ],
    ['steps into a domain', op(ARROW, relabelled, text('a')), [member('a')]],
  ])('takes %s', (_what, expr, steps) => expect(read(expr)).toEqual({ column, steps }));

  it.each<[string, Expr]>([
    ['no step', column],
    ['a parameter', op(ARROW, column, param)],
    ['a parameter on the way', op(ARROW, op(ARROW, column, param), text('a'))],
    ['a constant that nobody kept', op(ARROW, column, constant(TEXT, undefined))],
    ['NULL', op(ARROW, column, constant(TEXT, null))],
    ['a step of another type', op(ARROW, column, constant(INT8, '1'))],
    ['a computed step', op(ARROW, column, op(ARROW, column, text('a')))],
    ['another operator', op(OTHER, column, text('a'))],
    ['another operator on the way', op(ARROW, op(OTHER, column, text('a')), text('a'))],
    ['an operator of json', op(OF_JSON, column, text('a'))],
    ['an empty path', op(PATH, column, constant(TEXT_ARRAY, '{}'))],
    ['a path with quotes', op(PATH, column, constant(TEXT_ARRAY, '{"a"}'))],
    ['a path with escapes', op(PATH, column, constant(TEXT_ARRAY, '{a\\b}'))],
    ['a path with blanks', op(PATH, column, constant(TEXT_ARRAY, '{a, b}'))],
    ['a path with bounds', op(PATH, column, constant(TEXT_ARRAY, '[1:1]={a}'))],
    ['a path of two dimensions', op(PATH, column, constant(TEXT_ARRAY, '{{a},{b}}'))],
    ['a path with NULL', op(PATH, column, constant(TEXT_ARRAY, '{a,null}'))],
    ['a path as a text', op(PATH, column, text('{a}'))],
    ['a subscript that is a parameter', subscript(column, [text('a'), param])],
    ['a subscript of something else', subscript(column, [text('a')], { container: JSON_TYPE })],
    ['a slice', subscript(column, [text('a')], { lower: [text('a')] })],
    ['what is assigned', subscript(column, [text('a')], { assigned: text('1') })],
    ['a whole row', op(ARROW, { ...column, attribute: 0 } as Expr, text('a'))],
    [
      'a function',
      op(
        ARROW,
        { kind: 'FuncExpr', ...typed(JSONB), function: 1, returnsSet: false, args: [column], form: 'call' },
        text('a'),
      ),
    ],
    [
      'more steps than are followed',
      Array.from({ length: 17 }).reduce<Expr>((at) => op(ARROW, at, text('a')), column),
    ],
  ])('takes none that is followed: %s', (_what, expr) => expect(read(expr)).toBeUndefined());
});
