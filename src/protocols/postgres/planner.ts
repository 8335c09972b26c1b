import { HoopError, isHoopError } from '../../core/errors.ts';
import type { Turns } from '../../core/turns.ts';
import type { Refusal } from '../../enforcement/operation.ts';
import type { Pair, PolicyObject, PolicyValue } from '../../policy/model.ts';
import type { CatalogService, KnownCatalog } from './catalog-service.ts';
import type { SessionMasks } from './masks.ts';
import type { Prepared } from './pipeline.ts';
import { FIRST_USER_OID } from './sql/catalog-model.ts';
import { foreignIdentifiers } from './sql/encoding.ts';
import type { LiteralSpan, ParsedSql, StatementFacts } from './sql/facts.ts';
import { maskLiterals } from './sql/literals.ts';
import type { SqlParser } from './sql/parser.ts';
import type { CopyPlan } from './sql/plan.ts';
import { planStatement, type StatementPlan } from './sql/resolve.ts';
import { templateOf } from './sql/template.ts';

/** One string of SQL, understood: what it would do, and how it is told to people. */
export interface Planned {
  readonly plans: readonly StatementPlan[];
  /** Of all its statements, in order. */
  readonly pairs: readonly Pair[];
  readonly context: Readonly<Record<string, PolicyValue>>;
  /** Masked. */
  readonly text: string;
  /** It is not understood with certainty, or a masked column would flow where it must not. */
  readonly refusal?: Refusal;
  /** Nobody knows what it does, not even how many statements it is: its one plan stands for all of them. */
  readonly unread?: boolean;
}

/** The plan of the statement of a string whose turn it is, from 0. */
export function planAt(planned: Planned | undefined, index: number): StatementPlan | undefined {
  return planned?.plans[planned.unread === true ? 0 : index];
}

/** What stands for a string that could not be planned. */
export function refused(text: string, refusal: Refusal): Planned {
  return { plans: [], pairs: [], context: {}, text, refusal };
}

/** Whatever policy permits: what nothing is known of cannot be judged. */
export const CATALOG_UNAVAILABLE = 'catalog-unavailable';

/** Why a statement is refused while the catalog cannot be read. @throws Whatever is no error of ours. */
export function catalogUnavailable(error: unknown): Refusal {
  if (!isHoopError(error)) throw error;
  return {
    code: error.code,
    rule: CATALOG_UNAVAILABLE,
    reason: `the gateway cannot read the target's catalog now: ${error.message}`,
    hint: 'try again soon; if it lasts, ask the operator of the gateway',
  };
}

/** Plans kept per session; pgbench and drivers send few texts, agents many. */
const REMEMBERED = 256;
/** Longer texts are planned each time. */
const REMEMBERED_CHARS = 8192;

/** How much of a statement is shown to people. */
const SHOWN_CHARS = 64 * 1024;
/** Of which so much is left out where it is cut: what begins there may be half of something that detectors know whole. */
const UNSURE_CHARS = 16 * 1024;

/**
 * Makes plans of SQL texts for one session: parse, resolve against the catalog, look for masked columns that flow.
 * A plan is remembered until the catalog, the policy or the masks change.
 */
export class StatementPlanner {
  readonly #parser: SqlParser;
  readonly #catalog: CatalogService;
  readonly #masks: SessionMasks;
  readonly #resource: PolicyObject;
  readonly #encoding: string;
  readonly #uncommittedDdl: () => boolean;
  readonly #turns: Turns;
  #remembered = new Map<string, Planned>();
  /** Plans of texts that differ from others in nothing but neutral literals, by what they have in common. */
  #templates = new Map<string, Planned>();
  /** Plans made since anything changed, remembered or not. */
  #made = new WeakSet<Planned>();
  #known: KnownCatalog | undefined;

  constructor(parts: {
    readonly parser: SqlParser;
    readonly catalog: CatalogService;
    readonly masks: SessionMasks;
    readonly resource: PolicyObject;
    /** The database's encoding, as the server reports it. */
    readonly encoding: string;
    /** Whether the session has changed the schema in a transaction that the catalog cannot see yet. */
    readonly uncommittedDdl: () => boolean;
    readonly turns: Turns;
  }) {
    this.#turns = parts.turns;
    this.#parser = parts.parser;
    this.#catalog = parts.catalog;
    this.#masks = parts.masks;
    this.#resource = parts.resource;
    this.#encoding = parts.encoding;
    this.#uncommittedDdl = parts.uncommittedDdl;
  }

  /**
   * @param text SQL as the client sent it, without NUL.
   * @param types OIDs of types that a Parse message gives its parameters.
   * @returns A plan, with `refusal` if it is not understood, or the catalog cannot be read.
   */
  async plan(text: string, types: readonly number[] = NO_TYPES): Promise<Planned> {
    const known = await this.#catalog.current().catch(catalogUnavailable);
    if ('rule' in known) return refused('‹statement while the catalog cannot be read›', known);
    const asked = question(text, types);
    const remembered = this.#rememberedPlan(asked, known);
    if (remembered !== undefined) return remembered;
    const planned = await this.#make(asked, known);
    if (known === this.#known) this.#remember(asked, planned);
    return planned;
  }

  /**
   * As `plan`, at once, if the text was planned before and nothing has changed since.
   *
   * @param before A plan of that text, too long to be remembered perhaps.
   */
  planned(text: string, types: readonly number[] = NO_TYPES, before?: Planned): Planned | undefined {
    const known = this.#catalog.fresh;
    if (known === undefined) return undefined;
    const remembered = this.#rememberedPlan(question(text, types), known);
    const holds = before !== undefined && !this.#uncommittedDdl() && this.#made.has(before);
    return remembered ?? (holds ? before : undefined);
  }

  /** The plan of one statement of a text: one that only refuses where there is none. */
  async planOne({ text, index, types }: Prepared): Promise<StatementPlan | undefined> {
    const { plans, refusal } = await this.plan(text, types);
    return plans[index] ?? (refusal === undefined ? undefined : { ...emptyPlan(this.#resource), refusal });
  }

  #rememberedPlan(asked: Question, known: KnownCatalog): Planned | undefined {
    if (this.#masks.refresh(known.classification) || known !== this.#known) {
      this.#known = known;
      this.#remembered.clear();
      this.#templates.clear();
      this.#made = new WeakSet();
    }
    if (this.#uncommittedDdl()) return undefined;
    if (asked.types.length > 0) return this.#remembered.get(keyOf(asked));
    return this.#remembered.get(asked.text) ?? this.#fromTemplate(asked.text);
  }

  #fromTemplate(text: string): Planned | undefined {
    const template = this.#templates.size === 0 ? undefined : templateOf(text);
    const planned = template === undefined ? undefined : this.#templates.get(template.key);
    if (template === undefined || planned === undefined) return undefined;
    return { ...planned, text: this.#shown(text, planned.plans, template.literals) };
  }

  /** A plan whose statements were completed by name (EXECUTE, FETCH): everything derived is derived again. */
  combine(planned: Planned, plans: readonly StatementPlan[]): Planned {
    return { ...summary(plans), text: planned.text, plans, ...this.#refusal(plans) };
  }

  /** One statement of a string: PREPARE may have named it among others. */
  only(planned: Planned, index: number): Planned {
    const plan = planned.plans[index];
    return planned.plans.length <= 1 || plan === undefined ? planned : this.combine(planned, [plan]);
  }

  async #make({ text, types }: Question, known: KnownCatalog): Promise<Planned> {
    if (types.some((oid) => !known.catalog.types.knows(oid)))
      return refused(`‹statement of ${Buffer.byteLength(text)} octets›`, UNKNOWN_TYPE);
    let parsed: ParsedSql;
    try {
      const major = Math.floor(known.catalog.serverVersion / 10_000);
      parsed = await this.#parser.parse(text, major, this);
    } catch (error) {
      if (!isHoopError(error)) throw error;
      return refused(`‹unparsable statement of ${Buffer.byteLength(text)} octets›`, {
        code: error.code,
        rule: error.code === 'ERR_SQL_SYNTAX' ? 'syntax-error' : 'unanalysable',
        reason: error.message,
        hint: error.hint ?? 'correct the statement; only what parses as PostgreSQL can be allowed',
      });
    }
    const plans: StatementPlan[] = [];
    for (const facts of parsed.statements) {
      if (plans.length > 0 && this.#turns.spent) await this.#turns.next();
      plans.push(this.#planOne(facts, types, known));
    }
    const shown = this.#shown(text, plans, parsed.literals);
    if (plans.length === 0) plans.push(emptyPlan(this.#resource));
    const foreign = foreignIdentifiers(text, parsed.literals, this.#encoding);
    const refusal = foreign === undefined ? this.#refusal(plans) : { refusal: foreign };
    return { ...summary(plans), text: shown, plans, ...refusal };
  }

  #planOne(facts: StatementFacts, types: readonly number[], known: KnownCatalog): StatementPlan {
    return planStatement(facts, known.catalog, {
      resource: this.#resource,
      parameterTypes: types,
      tagsOf: known.classification.tagsOf,
      isMasked: (relation, attribute) => this.#masks.isMasked(relation, attribute),
      anyMasked: this.#masks.active,
      masksColumns: this.#masks.masksColumns,
    });
  }

  #shown(text: string, plans: readonly StatementPlan[], literals: readonly LiteralSpan[]): string {
    const whole = text.length <= SHOWN_CHARS;
    const head = whole ? text : text.slice(0, SHOWN_CHARS);
    const shown = this.#masks.cleanText(touchesClassified(plans) ? maskLiterals(head, literals) : head);
    if (whole) return shown;
    return `${shown.slice(0, -UNSURE_CHARS)} … (${text.length} characters)`;
  }

  #remember(asked: Question, planned: Planned): void {
    const { text, types } = asked;
    this.#made.add(planned);
    if (types.length > 0)
      return text.length > REMEMBERED_CHARS ? undefined : keep(this.#remembered, keyOf(asked), planned);
    if (text.length > REMEMBERED_CHARS) return;
    const template = planned.refusal === undefined ? templateOf(text) : undefined;
    if (template === undefined || template.key === text) keep(this.#remembered, text, planned);
    else keep(this.#templates, template.key, planned);
  }

  #refusal(plans: readonly StatementPlan[]): { refusal?: Refusal } {
    for (const plan of plans) {
      const refusal = plan.refusal ?? this.#sessionRefusal(plan);
      if (refusal !== undefined) return { refusal };
    }
    return {};
  }

  /** Rules that hold for a session with masks, whatever policy permits. */
  #sessionRefusal(plan: StatementPlan): Refusal | undefined {
    if (!this.#masks.active) return undefined;
    if (plan.pairs.some((pair) => pair.action === 'sql.set-unsafe')) {
      return refuse(
        'unsafe-setting',
        'this setting could change how statements are read, and values here are masked',
        'leave the setting as it is',
      );
    }
    if (plan.reshapesMasked) {
      return refuse(
        'masked-table-ddl',
        'a table with masked columns cannot be changed by one for whom they are masked',
        'ask somebody who may see its columns to change it',
      );
    }
    if (plan.copy?.direction === 'out' && this.#masks.detecting) {
      const why = unreadableCopy(plan.copy);
      if (why !== undefined) return refuse('copy-format', ...why);
    }
    const unknown = plan.pairs.some(
      (pair) => pair.object.attrs['kind'] === 'unknown' && pair.action !== 'sql.create',
    );
    if (unknown && this.#uncommittedDdl()) {
      return refuse(
        'uncommitted-relation',
        'a relation made in this transaction is not known yet',
        'commit first',
      );
    }
    return undefined;
  }
}

/** A text, with the types of its parameters that are not PostgreSQL's own: by these alone it may do something else. */
interface Question {
  readonly text: string;
  readonly types: readonly number[];
}

const NO_TYPES: readonly number[] = [];

function question(text: string, types: readonly number[]): Question {
  return { text, types: types.length === 0 ? types : types.filter((oid) => oid >= FIRST_USER_OID) };
}

/** A text has no NUL in it. */
function keyOf({ text, types }: Question): string {
  return `${text}\0${types.join()}`;
}

const UNKNOWN_TYPE: Refusal = {
  code: 'ERR_DENIED',
  rule: 'unknown-type',
  reason: 'a parameter is given a type that the gateway does not know',
  hint: 'commit what makes the type first, or leave the types of parameters to the server',
};

/** Why detectors could not look through what a COPY sends, and what to do instead. */
function unreadableCopy({ options, types }: CopyPlan): readonly [string, string] | undefined {
  if (options === undefined) {
    return [
      'the options of this COPY cannot be looked through',
      'use the format text or csv, in the encoding UTF8',
    ];
  }
  if (options.format !== 'binary' || types !== undefined) return undefined;
  return [
    'binary COPY of a query does not say what types its columns have, so it cannot be looked through',
    'use the format text or csv, or copy the columns of a table',
  ];
}

function keep(plans: Map<string, Planned>, key: string, planned: Planned): void {
  if (plans.size >= REMEMBERED) plans.clear();
  plans.set(key, planned);
}

/** Nothing but comments asks for no more than the connection itself. */
function emptyPlan(resource: PolicyObject): StatementPlan {
  return {
    tag: '',
    kind: 'utility',
    pairs: [{ action: 'connect', object: resource }],
    context: {},
    touchesMasked: false,
    safeColumns: 'all',
    relations: [],
    reshapesMasked: false,
    ddl: false,
  };
}

function refuse(rule: string, reason: string, hint?: string): Refusal {
  return { code: 'ERR_DENIED', rule, reason, ...(hint === undefined ? {} : { hint }) };
}

function summary(plans: readonly StatementPlan[]): Pick<Planned, 'pairs' | 'context'> {
  return {
    pairs: plans.flatMap((plan) => plan.pairs),
    context: plans.map((plan) => plan.context).reduce(merge, {}),
  };
}

type Context = Readonly<Record<string, PolicyValue>>;

/**
 * Several statements are judged together, so a fact holds for the string only in its worst case: a condition counts
 * if all have one, a tautology if any has one; sets are united.
 */
function merge(a: Context, b: Context): Context {
  const merged: Record<string, PolicyValue> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key];
    if (before === undefined) merged[key] = value;
    else if (key === 'hasWhere') merged[key] = before === true && value === true;
    else if (typeof value === 'boolean') merged[key] = before === true || value;
    else if (Array.isArray(value) && Array.isArray(before)) merged[key] = [...new Set([...before, ...value])];
    else if (before !== value)
      throw new HoopError('ERR_INTERNAL', undefined, { detail: `context ${key} cannot be merged` });
  }
  return merged;
}

function touchesClassified(plans: readonly StatementPlan[]): boolean {
  return plans.some((plan) => plan.touchesMasked || plan.pairs.some((pair) => hasTags(pair.object)));
}

function hasTags(object: PolicyObject): boolean {
  const tags = object.attrs['tags'];
  return Array.isArray(tags) && tags.length > 0;
}
