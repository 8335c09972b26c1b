import { isHoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import type { Turns } from '../../../core/turns.ts';
import type { Pair, PolicyObject, PolicyValue } from '../../../policy/model.ts';
import type { KnownCatalog } from '../catalog/service.ts';
import { catalogUnavailable } from '../catalog/unavailable.ts';
import type { PostgresRefusal } from '../refusals.ts';
import type { SessionMasks } from '../shown/masks.ts';
import type { WrittenAnew } from '../shown/written-anew.ts';
import type { LiteralSpan, ParsedSql, StatementFacts } from '../sql/facts/facts.ts';
import { NameScope, namesAnything, type SearchPath } from '../sql/meaning/name-scope.ts';
import { planStatement, type StatementPlan } from '../sql/meaning/resolve.ts';
import type { FunctionReads } from '../sql/meaning/results/function-reads.ts';
import type { Settable } from '../sql/meaning/settings.ts';
import { UNKNOWN_PATH } from '../sql/meaning/uncertain-name.ts';
import { foreignIdentifiers } from '../sql/parse/encoding.ts';
import { maskLiterals } from '../sql/parse/literals.ts';
import type { SqlParser } from '../sql/parse/parser.ts';
import { templateOf } from '../sql/parse/template.ts';
import { AnalysedNames, staleNames } from './analysed-names.ts';
import type { CatalogView } from './catalog-view.ts';
import { KnownFunctions, mayReplaceFunctions } from './known-functions.ts';
import { emptyPlan, planSummary } from './plan-summary.ts';
import type { Prepared } from './prepared.ts';
import type { SessionPath } from './session-path.ts';
import { sessionRefusal } from './session-rules.ts';
import { keyOf, NO_TYPES, type Question, question, UNKNOWN_TYPE } from './statement-question.ts';
import { syntaxReason } from './syntax-reason.ts';

/** One string of SQL, understood: what it would do, and how it is told to people. */
export interface Planned {
  readonly plans: readonly StatementPlan[];
  /** Of all its statements, in order. */
  readonly pairs: readonly Pair[];
  readonly context: Readonly<Record<string, PolicyValue>>;
  /** Masked. */
  readonly text: string;
  /** It is not understood with certainty, or a masked column would flow where it must not. */
  readonly refusal?: PostgresRefusal;
  /** It stands in place of a query that would be refused for computing with masked columns. */
  readonly writtenAnew?: WrittenAnew;
  /** Nobody knows what it does, not even how many statements it is: its one plan stands for all of them. */
  readonly unread?: boolean;
  /** It names nothing that could be looked up elsewhere. */
  readonly nameless?: boolean;
}

/** The plan of the statement of a string whose turn it is, from 0. */
export function planAt(planned: Planned | undefined, index: number): StatementPlan | undefined {
  return planned?.plans[planned.unread === true ? 0 : index];
}

/** What stands for a string that could not be planned. */
export function refused(text: string, refusal: PostgresRefusal): Planned {
  return { plans: [], pairs: [], context: {}, text, refusal };
}

/** Plans kept per session; pgbench and drivers send few texts, agents many. */
const REMEMBERED = 256;
/** Longer texts are planned each time. */
const REMEMBERED_CHARS = 8192;

/** How much of a statement is shown to people. */
const SHOWN_CHARS = 64 * 1024;
/** Of which so much is left out where it is cut: what begins there may be half of something that detectors know whole. */
const UNSURE_CHARS = 16 * 1024;

/** A statement that has a name; see `Prepared`. */
type NamedStatement = Pick<Prepared, 'text' | 'index' | 'types'>;

/**
 * Makes plans of SQL texts for one session: parse, resolve against the catalog, look for masked columns that flow.
 * A plan is remembered until the catalog, the policy or the masks change.
 */
export class StatementPlanner {
  readonly #parser: SqlParser;
  readonly #catalog: CatalogView;
  readonly #masks: SessionMasks;
  readonly #resource: PolicyObject;
  readonly #encoding: string;
  readonly #path: SessionPath;
  readonly #learnPath: () => Promise<SearchPath | undefined>;
  readonly #settable: Settable;
  readonly #uncommittedDdl: () => boolean;
  readonly #turns: Turns;
  readonly #explains: boolean;
  #remembered = new Map<string, Planned>();
  /** Plans of texts that differ from others in nothing but neutral literals, by what they have in common. */
  #templates = new Map<string, Planned>();
  /** Plans made since anything changed, remembered or not. */
  #made = new WeakSet<Planned>();
  #known: KnownCatalog | undefined;
  readonly #functions = new KnownFunctions();
  /** By which path all that is remembered was planned. */
  #plannedBy: SearchPath | undefined;

  constructor(parts: {
    readonly parser: SqlParser;
    readonly catalog: CatalogView;
    readonly masks: SessionMasks;
    readonly resource: PolicyObject;
    /** The database's encoding, as the server reports it. */
    readonly encoding: string;
    readonly path: SessionPath;
    /** Asks the server for the path where it is not known. */
    readonly learnPath: () => Promise<SearchPath | undefined>;
    /** Beside the path with which the session began. */
    readonly settable: Settable;
    /** Whether the session has changed the schema in a transaction that the catalog cannot see yet. */
    readonly uncommittedDdl: () => boolean;
    readonly turns: Turns;
    /** What is planned is told of and never run. */
    readonly explains: boolean;
  }) {
    this.#turns = parts.turns;
    this.#explains = parts.explains;
    this.#parser = parts.parser;
    this.#catalog = parts.catalog;
    this.#masks = parts.masks;
    this.#resource = parts.resource;
    this.#encoding = parts.encoding;
    this.#path = parts.path;
    this.#learnPath = parts.learnPath;
    this.#settable = parts.settable;
    this.#uncommittedDdl = parts.uncommittedDdl;
  }

  /**
   * @param text SQL as the client sent it, without NUL.
   * @param types OIDs of types that a Parse message gives its parameters.
   * @param before A plan of that text, too long to be remembered perhaps.
   * @returns A plan, with `refusal` if it is not understood, or the catalog cannot be read. At once if the text was planned
   *   before and nothing has changed since.
   */
  plan(text: string, types: readonly number[] = NO_TYPES, before?: Planned): Later<Planned> {
    return this.#atHand(text, types, before) ?? this.#planAnew(text, types);
  }

  /** @param only Index of the one statement of the text that is meant; default all. */
  async #planAnew(text: string, types: readonly number[], only?: number): Promise<Planned> {
    const known = await this.#catalog.for(text).catch(catalogUnavailable);
    if ('rule' in known) return refused('‹statement while the catalog cannot be read›', known);
    const asked = question(text, types);
    if (only !== undefined) return this.#make(asked, known, only);
    const remembered = this.#rememberedPlan(asked, known);
    if (remembered !== undefined) return remembered;
    const planned = await this.#make(asked, known);
    if (known === this.#known && this.#holds && !this.#dependsOnBlock(text)) this.#remember(asked, planned);
    return planned;
  }

  /** The end of a transaction block within the text gives back another path. */
  #dependsOnBlock(text: string): boolean {
    return this.#path.moved && text.includes(';');
  }

  #atHand(text: string, types: readonly number[], before?: Planned): Planned | undefined {
    const known = this.#catalog.fresh;
    if (known === undefined) return undefined;
    const remembered = this.#rememberedPlan(question(text, types), known);
    return (
      remembered ??
      (before !== undefined && this.#holds && this.#made.has(before) ? this.#certain(before) : undefined)
    );
  }

  #rememberedPlan(asked: Question, known: KnownCatalog): Planned | undefined {
    this.#renew(known);
    if (!this.#holds || this.#dependsOnBlock(asked.text)) return undefined;
    return this.#certain(this.#found(asked));
  }

  #found(asked: Question): Planned | undefined {
    const { text, types, all } = asked;
    const found =
      types.length > 0
        ? this.#remembered.get(keyOf(asked))
        : (this.#remembered.get(text) ?? this.#fromTemplate(text));
    if (all.length === 0 || (found !== undefined && !isTyped(found))) return found;
    return this.#remembered.get(keyOf({ text, types: all }));
  }

  /** Where the server must be asked for the path, only a plan without names is good without that. */
  #certain(planned: Planned | undefined): Planned | undefined {
    const certain = planned?.nameless === true || this.#path.known !== undefined;
    const clears = planned?.plans.some((plan) => plan.clears !== undefined) === true;
    return certain && (!clears || this.#functionsHold) ? planned : undefined;
  }

  /** Forgets what was planned of other knowledge. */
  #renew(known: KnownCatalog): void {
    const path = this.#path.last;
    const samePath = path === this.#plannedBy;
    if (!this.#masks.refresh(known.classification) && known === this.#known && samePath) return;
    this.#known = known;
    this.#plannedBy = path;
    this.#remembered.clear();
    this.#templates.clear();
    this.#made = new WeakSet();
  }

  /** Whether names stand for what they stood for in all that is remembered, as far as is known. */
  get #holds(): boolean {
    const path = this.#path.last;
    const uncommitted = this.#uncommittedDdl() || this.#path.holdsNames;
    return path !== undefined && path === this.#plannedBy && !uncommitted;
  }

  #fromTemplate(text: string): Planned | undefined {
    const template = this.#templates.size === 0 ? undefined : templateOf(text);
    const planned = template === undefined ? undefined : this.#templates.get(template.key);
    if (template === undefined || planned === undefined) return undefined;
    return { ...planned, text: this.#shown(text, planned.plans, template.literals) };
  }

  /** A plan whose statements were completed by name (EXECUTE, FETCH): everything derived is derived again. */
  combine(planned: Planned, plans: readonly StatementPlan[]): Planned {
    return { ...planSummary(plans), text: planned.text, plans, ...this.#refusal(plans) };
  }

  /**
   * One statement of a string, of which PREPARE may have named another: by the path of now, whatever the others set.
   *
   * @param before A plan of the whole text, too long to be remembered perhaps.
   */
  one({ text, index, types }: NamedStatement, before?: Planned): Later<Planned> {
    return after(this.plan(text, types, before), (all) =>
      all.plans.length <= 1 ? all : this.#planAnew(text, types, index),
    );
  }

  /** Its plan: one that only refuses where there is none. */
  async planOne(
    statement: NamedStatement,
    analysed = new AnalysedNames(),
  ): Promise<StatementPlan | undefined> {
    const { plans, refusal } = this.reanalysed(analysed, await this.one(statement));
    const [plan] = plans;
    return refusal === undefined ? plan : { ...(plan ?? emptyPlan(this.#resource)), refusal };
  }

  /** The statement as the server runs it now, or a refusal where that is not certain. */
  reanalysed(before: AnalysedNames, planned: Planned): Planned {
    const [path, plan, known] = [this.#path.last, planned.plans[0], this.#known];
    if (path === undefined || plan === undefined || known === undefined) return planned;
    const hidden = before.hidden(path, plan.resolved, (name, oid) => {
      const relation = known.catalog.relations.get(oid);
      return relation?.name === name && path.schemas.includes(relation.schema);
    });
    if (hidden !== undefined) return { ...planned, refusal: staleNames(hidden) };
    before.note(path, plan.resolved);
    return planned;
  }

  /** @param only Index of the one statement that is meant; default all. */
  async #make({ text, all: types }: Question, current: KnownCatalog, only?: number): Promise<Planned> {
    if (types.some((oid) => !current.catalog.types.knows(oid)))
      return refused(`‹statement of ${Buffer.byteLength(text)} octets›`, UNKNOWN_TYPE);
    let parsed: ParsedSql;
    try {
      const major = Math.floor(current.catalog.serverVersion / 10_000);
      parsed = await this.#parser.parse(text, major, this);
    } catch (error) {
      if (!isHoopError(error)) throw error;
      return refused(`‹unparsable statement of ${Buffer.byteLength(text)} octets›`, {
        code: error.code,
        rule: error.code === 'ERR_SYNTAX' ? 'syntax-error' : 'unanalysable',
        reason: syntaxReason(error.message, text),
        hint: error.hint ?? 'correct the statement; only what parses as PostgreSQL can be allowed',
      });
    }
    const statements = parsed.statements.filter((_, index) => only === undefined || only === index);
    const known = statements.slice(0, -1).some(undoesChanges) ? (current.outside ?? current) : current;
    // What they are made of matters to those alone for whom columns are masked.
    const reads = this.#masks.masksColumns
      ? await this.#functions.reads(known.catalog, statements, (one, major) =>
          this.#parser.parse(one, major, this),
        )
      : undefined;
    const nameless = !statements.some(namesAnything);
    const path = nameless ? (this.#path.last ?? NO_PATH) : await this.#learnPath();
    if (path === undefined) return refused(`‹statement of ${Buffer.byteLength(text)} octets›`, UNKNOWN_PATH);
    this.#renew(known);
    const before = known.outside !== undefined ? [] : this.#path.changesBefore(known.catalog);
    const seen = known.outside !== undefined || !this.#uncommittedDdl();
    const { moved, tookBefore } = this.#path;
    const names = new NameScope(known.catalog, path, before, moved, tookBefore, seen);
    const plans: StatementPlan[] = [];
    for (const facts of statements) {
      if (plans.length > 0 && this.#turns.spent) await this.#turns.next();
      const certain = this.#functionsHold && !plans.some(mayReplaceFunctions);
      plans.push(this.#planOne(facts, types, known, names, certain ? reads : undefined));
    }
    const shown = this.#shown(text, plans, parsed.literals);
    if (plans.length === 0) plans.push(emptyPlan(this.#resource));
    const foreign = foreignIdentifiers(text, parsed.literals, this.#encoding);
    const refusal = foreign === undefined ? this.#refusal(plans) : { refusal: foreign };
    return { ...planSummary(plans), text: shown, plans, nameless, ...refusal };
  }

  #planOne(
    facts: StatementFacts,
    types: readonly number[],
    known: KnownCatalog,
    names: NameScope,
    results: FunctionReads | undefined,
  ): StatementPlan {
    results?.begin();
    return planStatement(facts, known.catalog, {
      resource: this.#resource,
      parameterTypes: types,
      tagsOf: known.classification.tagsOf,
      columnTags: known.classification.ofRelation,
      ...this.#masks.planning,
      names,
      ...this.#settable,
      searchPaths: [...this.#settable.searchPaths, ...this.#path.began.searchPaths],
      beganAsItself: this.#path.began.asItself,
      explains: this.#explains,
      ...(results === undefined ? {} : { results }),
    });
  }

  /** No function can have been replaced, nor the path set, in a transaction that the catalog does not see. */
  get #functionsHold(): boolean {
    return !this.#uncommittedDdl() && !this.#path.moved;
  }

  /** Whether what was planned may be shown still: not where a function that it counts on may have been replaced since. */
  holds({ plans }: Planned): boolean {
    const [known, last] = [this.#catalog.fresh?.catalog, this.#path.last];
    const holds = ({ clears }: StatementPlan) =>
      clears === undefined || (this.#functionsHold && clears.catalog === known && clears.path === last);
    return plans.every(holds);
  }

  #shown(text: string, plans: readonly StatementPlan[], literals: readonly LiteralSpan[]): string {
    const whole = text.length <= SHOWN_CHARS;
    const head = whole ? text : text.slice(0, SHOWN_CHARS);
    const shown = this.#masks.detected.cleanText(
      touchesClassified(plans) ? maskLiterals(head, literals) : head,
    );
    if (whole) return shown;
    return `${shown.slice(0, -UNSURE_CHARS)} … (${text.length} characters)`;
  }

  #remember(asked: Question, planned: Planned): void {
    const { text, types, all } = asked;
    this.#made.add(planned);
    if (text.length > REMEMBERED_CHARS) return;
    if (all.length > 0 && isTyped(planned))
      return keep(this.#remembered, keyOf({ text, types: all }), planned);
    if (types.length > 0) return keep(this.#remembered, keyOf(asked), planned);
    const open = planned.refusal === undefined && !planned.plans.some(({ stepped }) => stepped);
    const template = open ? templateOf(text) : undefined;
    if (template === undefined || template.key === text) keep(this.#remembered, text, planned);
    else keep(this.#templates, template.key, planned);
  }

  /** The session has changed the schema, and what is known does not show it. */
  get #unseenDdl(): boolean {
    return this.#uncommittedDdl() && this.#known?.outside === undefined;
  }

  #refusal(plans: readonly StatementPlan[]): { refusal?: PostgresRefusal } {
    for (const plan of plans) {
      const refusal = plan.refusal ?? sessionRefusal(plan, this.#masks, this.#unseenDdl);
      if (refusal !== undefined) return { refusal };
    }
    return {};
  }
}

/** What follows in the same string has the schema of before: of its own uncommitted one nothing is certain any more. */
function undoesChanges({ transaction }: StatementFacts): boolean {
  return transaction !== undefined && !KEEPS.has(transaction);
}

const KEEPS: ReadonlySet<string> = new Set(['begin', 'savepoint', 'release']);

function isTyped({ plans }: Planned): boolean {
  return plans.some(({ typed }) => typed === true);
}

/** For statements that name nothing. */
const NO_PATH: SearchPath = { schemas: [], creation: '', user: '' };

function keep(plans: Map<string, Planned>, key: string, planned: Planned): void {
  if (plans.size >= REMEMBERED) plans.clear();
  plans.set(key, planned);
}

function touchesClassified(plans: readonly StatementPlan[]): boolean {
  return plans.some((plan) => plan.touchesMasked || plan.pairs.some((pair) => hasTags(pair.object)));
}

function hasTags(object: PolicyObject): boolean {
  const tags = object.attrs['tags'];
  return Array.isArray(tags) && tags.length > 0;
}
