import { once } from '../../../core/later.ts';
import { FieldState, type MaskedField } from '../../../masking/json/field-states.ts';
import type { Mask, ValueShape } from '../../../masking/mask.ts';
import { fewest, type Lookups, type PolicyObject, type Reveal } from '../../../policy/model.ts';
import { type Column, RowDescription } from '../../../wire/postgres/rows.ts';
import type { Format } from '../../../wire/postgres/types.ts';
import type { DetectedValues } from '../../stream/detected-values.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Classification, Classified } from '../catalog/classification.ts';
import { FIRST_USER_OID } from '../catalog/system/objects.ts';
import { type ColumnAt, columnKey, spread } from '../sql/meaning/lineage.ts';
import type { PlainOnly } from '../sql/meaning/plain/value.ts';
import type { PlanInput, StatementPlan } from '../sql/meaning/plan.ts';
import { both, byMembers, type ColumnMask, isBeside, type KnownMask, maskAt } from './column-mask.ts';
import { ColumnPseudonyms, type PseudonymGiver } from './column-pseudonyms.ts';
import { RowPlans } from './row-plans.ts';
import {
  type ColumnAction,
  type MaskCause,
  type MaskedDocument,
  type MaskedElements,
  type RowPlan,
  rowPlan,
  shapeOf,
} from './rows.ts';
import { holdsText, isText, tells, type WireTypes } from './values/wire-types.ts';

export type PlainText = Pick<PlainOnly, 'functions'>;

interface MaskOptions {
  readonly giver?: PseudonymGiver;
  readonly computesMasks?: boolean;
  readonly plainText?: PlainText | undefined;
}

type Planning = Pick<
  PlanInput,
  | 'isMasked'
  | 'anyMasked'
  | 'masksColumns'
  | 'reveals'
  | 'computesMasks'
  | 'mayLookUp'
  | 'clearInto'
  | 'plainOnly'
>;

/**
 * What one session's principal may see: which columns are masked, and how, and whether detectors must look at the
 * rest. Made anew when the policy or the catalog changes.
 */
export class SessionMasks {
  readonly detected: DetectedValues;
  /** Queries may compute with masks in place of what is masked. */
  readonly computesMasks: boolean;
  readonly #guard: Pick<Guard, 'reveal' | 'policyVersion'>;
  readonly #giver: PseudonymGiver | undefined;
  readonly #plainText: PlainText | undefined;
  #classification: Classification | undefined;
  #policyVersion = '';
  #columns: ReadonlyMap<string, KnownMask> = new Map();
  #refusals: ReadonlyMap<string, string> = new Map();
  #lookups: ReadonlyMap<string, Lookups> = new Map();
  #relations: ReadonlySet<number> = new Set();
  /** Of what was masked at the last refresh. */
  readonly #rowPlans = new RowPlans();
  #inRules: () => ReadonlySet<string> = () => new Set();
  /** Some column is masked for this principal. */
  masksColumns = true;
  /** Anything at all is masked for this principal. Until the first refresh: assume so. */
  active = true;

  /**
   * @param options.giver Of pseudonyms; absent: what would be shown by one is hidden whole.
   * @param options.plainText Free text is shown in plain columns alone where detectors mask something; absent: it is not.
   */
  constructor(
    guard: Pick<Guard, 'reveal' | 'policyVersion'>,
    detected: DetectedValues,
    { giver, computesMasks = false, plainText }: MaskOptions = {},
  ) {
    this.#guard = guard;
    this.detected = detected;
    this.#giver = giver;
    this.computesMasks = computesMasks;
    this.#plainText = plainText;
  }

  /** How a statement is planned for this principal. */
  get planning(): Planning {
    return {
      isMasked: (relation, attribute) => this.isMasked(relation, attribute),
      anyMasked: this.active,
      masksColumns: this.masksColumns,
      reveals: (fn) => this.#guard.reveal(fn).show,
      computesMasks: this.computesMasks,
      ...(this.#lookups.size === 0 ? {} : { mayLookUp: (key: string) => this.#lookups.has(key) }),
      clearInto: (key, steps) => {
        const fields = this.#columns.get(key)?.fields;
        return fields !== undefined && isBeside(fields, steps);
      },
      plainOnly: this.#plainOnly(),
    };
  }

  /** Some detected kind of value is masked for this principal. */
  get detecting(): boolean {
    return this.detected.masks;
  }

  #plainOnly(): PlainOnly | undefined {
    const { types } = this;
    if (this.#plainText === undefined || !this.detecting) return undefined;
    return {
      ...this.#plainText,
      holdsText: (oid) => types === undefined || holdsText(types.of(oid), oid < FIRST_USER_OID),
    };
  }

  /** Asks policy again if it or the classification has changed. @returns Whether anything was made anew. */
  refresh(classification: Classification): boolean {
    const version = this.#guard.policyVersion();
    if (classification === this.#classification && version === this.#policyVersion) return false;
    this.#classification = classification;
    this.#policyVersion = version;
    this.#rowPlans.clear();
    this.detected.refresh();
    this.#columns = this.#maskedOf(classification);
    this.#relations = new Set([...this.#columns.keys()].map((key) => Number.parseInt(key, 10)));
    this.#inRules = once(() => this.#namesInRules(classification));
    this.masksColumns = this.#columns.size > 0;
    this.active = this.detecting || this.masksColumns;
    return true;
  }

  /** What policy masks, and wherever that can be seen; of unknown source is a danger only where there is something to show. */
  #maskedOf(classification: Classification): Map<string, KnownMask> {
    const pseudonyms = this.#giver && new ColumnPseudonyms(this.#giver, classification);
    const asked: Asked = { pseudonyms, refusals: new Map(), lookups: new Map() };
    const seeds = classification.columns.flatMap((column): [ColumnAt, ColumnMask][] => {
      const mask = this.#askedOf(column, asked);
      return mask === undefined ? [] : [[column, mask]];
    });
    const { refusals, lookups } = asked;
    this.#refusals = refusals;
    const hidden: ColumnMask = { mask: 'redact' };
    const unknown = seeds.length === 0 ? [] : classification.unknown.map((one) => [one, hidden] as const);
    const from = (all: Iterable<readonly [ColumnAt, ColumnMask]>) =>
      spread<ColumnMask>(all, both, (column, mask) =>
        classification.shownIn(column).map((one) => [one, maskAt(mask, one)] as const),
      );
    const data = from([...seeds, ...unknown]);
    // Definitions of views and rules may hold constants that were taken from it.
    const isInRules = [...data.values()].some(([{ relation }]) => classification.isInRules(relation));
    const rules = isInRules ? classification.rules.map((one) => [one, hidden] as const) : [];
    const masked = isInRules ? from([...data.values(), ...rules]) : data;
    // Whether a column equals something is also told of what else is seen in it.
    for (const [column] of masked.values())
      for (const other of classification.shownIn(column))
        if (columnKey(other) !== columnKey(column)) lookups.delete(columnKey(other));
    this.#lookups = lookups;
    return new Map([...masked].map(([key, [, mask]]) => [key, known(mask)]));
  }

  /** What a definition may speak of that has masked data, or may give it. */
  #namesInRules(classification: Classification): ReadonlySet<string> {
    // What the server's own views compare with its own catalogs is no data.
    const ofUsers = [...this.#relations].filter((one) => one >= FIRST_USER_OID);
    const relations = ofUsers.flatMap((one) => classification.nameOf(one) ?? []);
    return new Set([...relations, ...classification.code.map(({ attrs }) => `${attrs['name']}`)]);
  }

  /** What policy says of a column: of it as a whole, or of each of its members. Undefined: it shows it. */
  #askedOf(column: Classified, asked: Asked): ColumnMask | undefined {
    if (column.members === undefined) {
      const reveal = this.#guard.reveal(column.object);
      if (!reveal.show && reveal.lookups !== undefined) asked.lookups.set(columnKey(column), reveal.lookups);
      const mask = this.#maskBy(reveal, column, asked);
      return mask && { mask };
    }
    const members = column.members.flatMap(({ path, tags, object }) => {
      const kind = this.#maskBy(this.#guard.reveal(object), { ...column, tags }, asked);
      return kind === undefined ? [] : [{ path, kind }];
    });
    return members.length === 0 ? undefined : byMembers(members);
  }

  #maskBy(reveal: Reveal, column: Classified, { pseudonyms, refusals }: Asked): Mask | undefined {
    if (reveal.show) return undefined;
    if (reveal.mask !== 'pseudonym') return reveal.mask;
    const given = pseudonyms?.of(column) ?? NOBODY_GIVES;
    if (typeof given !== 'string') return given;
    refusals.set(columnKey(column), given);
    return 'redact';
  }

  /** How often may be asked whether these columns equal something, together; undefined: never. */
  lookupsOf(keys: Iterable<string>): Lookups | undefined {
    return fewest([...keys].map((key) => this.#lookups.get(key)));
  }

  /** `schema.table.column` of these. */
  namesOf(keys: ReadonlySet<string>): string[] {
    const columns = this.#classification?.columns.filter((one) => keys.has(columnKey(one))) ?? [];
    return columns.map(({ object: { attrs } }) => `${attrs['schema']}.${attrs['table']}.${attrs['name']}`);
  }

  isMasked(relation: number, attribute: number): boolean {
    return this.#columns.has(`${relation}.${attribute}`);
  }

  /** How a column is masked; undefined: it is not. */
  maskOf(column: ColumnAt): Mask | undefined {
    return this.#columns.get(columnKey(column))?.mask;
  }

  /** How members of a column's documents are masked, where only these are. */
  membersOf(column: ColumnAt): readonly MaskedField[] | undefined {
    return this.#columns.get(columnKey(column))?.members;
  }

  /** Why a column that is to be shown by pseudonyms is not. */
  pseudonymsRefused(column: ColumnAt): string | undefined {
    return this.#refusals.get(columnKey(column));
  }

  /** Entities of the columns of these relations that are masked, or of their members where only these are. */
  maskedIn(relations: readonly number[]): readonly PolicyObject[] {
    const columns = [...new Set(relations)].flatMap((one) => this.#classification?.ofRelation(one) ?? []);
    return columns.flatMap((column) => {
      if (!this.isMasked(column.relation, column.attribute)) return [];
      const masked = this.membersOf(column);
      if (masked === undefined || column.members === undefined) return [column.object];
      const paths = new Set(masked.map(({ path }) => path.text));
      return column.members.flatMap(({ path, object }) => (paths.has(path.text) ? [object] : []));
    });
  }

  /** Any column of the relation is masked. */
  masksRelation(relation: number): boolean {
    return this.#relations.has(relation);
  }

  /** @param description Body of the RowDescription with which the server answers the statement. */
  described(description: Buffer, plan: StatementPlan): RowPlan {
    const make = () => this.rowPlan(RowDescription.decode(description).columns, plan);
    return this.#rowPlans.of(description, plan, make);
  }

  /**
   * What becomes of each output column: by provenance where the server gives it, by the statement's analysis where
   * that is certain, and masked otherwise.
   */
  rowPlan(columns: readonly Column[], plan: StatementPlan): RowPlan {
    const { outputColumns = columns.length } = plan;
    const counted = outputColumns === columns.length || plan.safeColumns === 'all';
    const none = { safeColumns: [], ...(plan.withheld === undefined ? {} : { withheld: 'all' as const }) };
    const certain = counted ? plan : { ...plan, ...none };
    const defined = columns.map((column, index) => counted && this.#isDefinition(column, index, plan));
    const masks = columns.map((column, index) =>
      defined[index] ? undefined : this.#maskOf(column, index, certain),
    );
    const actions = columns.map((column, index) =>
      defined[index] ? this.#definition(column) : this.#action(column, masks[index], plan),
    );
    return rowPlan(
      actions,
      masks.map((mask) => mask?.cause),
    );
  }

  /** It holds definitions as the server writes them. */
  #isDefinition({ tableOid, typeOid }: Column, index: number, plan: StatementPlan): boolean {
    const isTraced = plan.definitions?.includes(index) === true;
    return (
      isTraced && (tableOid === 0 || plan.relations.includes(tableOid)) && this.shapeOf(typeOid) === 'text'
    );
  }

  #definition({ typeOid, format }: Column): ColumnAction {
    const rest = this.#look(typeOid, format);
    if (rest.kind === 'mask' || !this.masksColumns) return rest;
    return { kind: 'definition', named: this.#inRules(), rest };
  }

  #action({ typeOid, format }: Column, mask: CausedMask | undefined, plan: StatementPlan): ColumnAction {
    if (mask === undefined) {
      const rest = this.#look(typeOid, format);
      const tells = plan.explainsMasked === true && this.masksColumns;
      return tells && rest.kind !== 'mask' ? { kind: 'plan', rest } : rest;
    }
    const elements = this.#elements(mask.mask, typeOid, format);
    const shape = shapeOf(typeOid, format, this.types);
    const document = this.#document(mask, typeOid, format);
    return {
      kind: 'mask',
      mask: mask.mask,
      shape,
      ...(elements === undefined ? {} : { elements }),
      ...(document === undefined ? {} : { document }),
    };
  }

  /** What is masked by members is so where the server says that it is JSON; any other type has none. */
  #document({ fields }: KnownMask, typeOid: number, format: Format): MaskedDocument | undefined {
    if (fields === undefined || this.shapeOf(typeOid) !== 'json') return undefined;
    const rest = this.#look(typeOid, format);
    return rest.kind === 'mask' ? undefined : { fields, rest };
  }

  /** Of an array of texts more can be shown than NULL where more is shown of one than that it is there. */
  #elements(mask: Mask, typeOid: number, format: Format): MaskedElements | undefined {
    const { types } = this;
    if (mask === 'redact' || mask === 'null' || types === undefined) return undefined;
    const type = types.of(typeOid);
    return type.kind === 'array' && isText(type.element) ? { type, format, types } : undefined;
  }

  /** What a value of a type is in text, to a mask. */
  shapeOf(type: number): ValueShape {
    const { kind } = this.types?.of(type) ?? { kind: 'unknown' };
    if (kind === 'text') return 'text';
    return kind === 'json' || kind === 'jsonb' ? 'json' : 'opaque';
  }

  /** Of the catalog that is in force; undefined before the first refresh. */
  get types(): WireTypes | undefined {
    return this.#classification?.types;
  }

  /** What becomes of values that no column's mask is for. */
  #look(typeOid: number, format: Format): Exclude<ColumnAction, { kind: 'plan' | 'definition' }> {
    if (!this.detecting) return { kind: 'show' };
    const types = this.#classification?.types;
    if (types === undefined) return { kind: 'mask', mask: 'null', shape: 'opaque' };
    const type = types.of(typeOid);
    return tells(type, this.detected.configured, format)
      ? { kind: 'detect', type, format, types }
      : { kind: 'show' };
  }

  #maskOf(column: Column, index: number, plan: StatementPlan): CausedMask | undefined {
    const { tableOid, attributeNumber } = column;
    if (!this.active) return undefined;
    if (plan.withheld !== undefined && isWithheld(index, plan.withheld)) return UNTRACED;
    if (tableOid === 0) return isSafe(index, plan) || !this.masksColumns ? undefined : UNTRACED;
    if (this.#classification?.knows(tableOid) !== true) return UNKNOWN;
    // What the statement was judged by does not name it: the server has read something else.
    if (this.masksColumns && !plan.relations.includes(tableOid)) return UNKNOWN;
    if (attributeNumber === 0) return this.masksRelation(tableOid) ? UNTRACED : undefined;
    if (this.#classification.isSensitive({ relation: tableOid, attribute: attributeNumber })) return UNTRACED;
    const mask = this.#columns.get(`${tableOid}.${attributeNumber}`);
    return mask === undefined ? undefined : { ...mask, cause: 'policy' };
  }
}

interface CausedMask extends KnownMask {
  readonly cause: MaskCause;
}

/** What is found out while policy is asked. */
interface Asked {
  readonly pseudonyms: ColumnPseudonyms | undefined;
  /** By column. */
  readonly refusals: Map<string, string>;
  readonly lookups: Map<string, Lookups>;
}

const UNTRACED: CausedMask = { mask: 'redact', cause: 'untraced' };
const UNKNOWN: CausedMask = { mask: 'redact', cause: 'unknown' };
const NOBODY_GIVES = 'pseudonyms are for sessions of their own';

function isWithheld(index: number, withheld: 'all' | readonly number[]): boolean {
  return withheld === 'all' || withheld.includes(index);
}

function isSafe(index: number, { safeColumns }: StatementPlan): boolean {
  return safeColumns === 'all' || safeColumns.includes(index);
}

function known(mask: ColumnMask): KnownMask {
  const fields = mask.members && FieldState.start(mask.members);
  return fields === undefined ? mask : { ...mask, fields };
}
