import type { PolicyObject } from '../../../../policy/model.ts';
import type { Catalog, Relation } from '../../catalog/model/model.ts';
import { isSensitive } from '../../catalog/model/sensitive.ts';
import { isBlind } from '../../catalog/system/functions.ts';
import { setsSettings } from '../../catalog/system/steering.ts';
import { Entities } from '../../entities.ts';
import { HINTS } from '../../hints.ts';
import type { PostgresRefusal, PostgresRule } from '../../refusals.ts';
import {
  ELSEWHERE,
  type FunctionUse,
  type ObjectFact,
  type RelationUse,
  type SettingFact,
  type StatementFacts,
} from '../facts/facts.ts';
import type { LazyAnalysis } from './analysed.ts';
import { type Effects, EffectWalk } from './effects.ts';
import { taintExpressions } from './expressions.ts';
import { sensitiveOutputs } from './flow/harmless-columns.ts';
import type { TouchedRelation } from './flow/masked-flow.ts';
import { asRun, Outputs } from './flow/outputs.ts';
import { inReach } from './flow/referred-keys.ts';
import { Taint } from './flow/taint.ts';
import { isColumnOf, isUntrusted, type ResolvedFunction, resolveFunction, resolveOid } from './functions.ts';
import { maskedColumns, writesOutMasked } from './lineage.ts';
import type { NameScope } from './name-scope.ts';
import { namedObject } from './named-object.ts';
import { PairSet } from './pairs.ts';
import { isNotRun, type PlanInput } from './plan.ts';
import { ClearCalls } from './results/clear-calls.ts';
import { ACTIONS, MAINTAINS, READS, WRITES, WRITING } from './roles.ts';
import { isFree, isOfReading, isSafeSetting, isTransactionSetting, settingByCall } from './settings.ts';
import { Steering } from './steering.ts';
import { runByTypes } from './types/runs-by-types.ts';
import { uncertainName } from './uncertain-name.ts';
import { WrittenColumns } from './written-columns.ts';

/** What a call sets that no text shows. */
const ANY_SETTING: SettingFact = { verb: 'set', name: 'all', local: false };

/** Resolves the facts of one statement into pairs, and notes what the answer must not show. */
export class Resolution {
  readonly pairs = new PairSet();
  readonly touched: TouchedRelation[] = [];
  /** Only kept where something is masked. */
  readonly taint: Taint;
  readonly outputs: Outputs;
  refusal: PostgresRefusal | undefined;
  unsafeSetting = false;
  hasRowSecurity = false;
  readonly written: WrittenColumns;
  readonly #functions = new Set<string>();
  readonly #facts: StatementFacts;
  readonly #analysed: LazyAnalysis;
  readonly #catalog: Catalog;
  readonly #input: PlanInput;
  readonly #entities: Entities;
  readonly #effects: EffectWalk;
  readonly #names: NameScope;
  readonly #steering: Steering;
  readonly #resolved: (readonly [string, number])[] = [];
  #clearCalls: ClearCalls | undefined;
  #anyMasked: boolean | undefined;
  #someColumn: boolean | undefined;
  #implicitMasked = false;
  readonly clear: [ResolvedFunction, FunctionUse][] = []; // Calls that are certain to give nothing of what is masked.

  constructor(facts: StatementFacts, catalog: Catalog, input: PlanInput, analysed: LazyAnalysis) {
    this.#analysed = analysed;
    this.#facts = facts;
    this.#catalog = catalog;
    this.#input = input;
    this.#names = input.names;
    this.#steering = new Steering(catalog, input.names);
    this.#entities = new Entities(input.resource, input.names.path.temp);
    this.taint = new Taint(facts);
    this.outputs = new Outputs(analysed, catalog, input.isMasked, this.taint);
    this.#anyMasked = input.anyMasked;
    this.written = new WrittenColumns(catalog, input.isMasked, input.columnTags);
    this.#effects = new EffectWalk(catalog, {
      relation: (...effect) => this.#implicitRelation(...effect),
      columns: (relation, columns, given) => this.written.add(relation, columns, given),
      function: (use, through) => this.#unseen(use, through),
      rule: (relation) => {
        this.#steering.unknown();
        this.#refuse('rewrite-rule', `table ${relation.name} has a rewrite rule`, HINTS.tablesBehind);
      },
    });
  }

  /** What unqualified names stand for. */
  get resolved(): readonly (readonly [string, number])[] {
    return this.#resolved;
  }

  get steering(): Steering {
    return this.#steering;
  }

  get functionNames(): string[] {
    return [...this.#functions];
  }

  get touchesMasked(): boolean {
    return this.#implicitMasked || this.touched.some((one) => one.masked.size > 0);
  }

  run(): void {
    for (const use of this.#facts.relations) this.#relation(use);
    this.outputs.trace(this.#facts);
    this.#namedFunctions();
    this.#fieldCalls();
    taintExpressions(this.#facts, this.touched, this.#input.isMasked, this.taint, this.outputs.isTraced);
    this.#types();
    for (const setting of this.#facts.settings) this.#setting(setting);
    for (const object of this.#facts.objects) this.#object(object);
    this.#statement();
    this.#steering.statement(this.#facts);
    this.#stillClear();
    this.#opaque();
  }

  /** Anything is masked, if only by what detectors find. Asked only where it matters: it may look at every column. */
  anyMasked(): boolean {
    this.#anyMasked ??= this.#columnsMasked();
    return this.#anyMasked;
  }

  #columnsMasked(): boolean {
    const { masksColumns, isMasked } = this.#input;
    this.#someColumn ??=
      masksColumns ??
      [...this.#catalog.relations.values()].some((relation) =>
        [...relation.columns.values()].some((column) => isMasked(relation.oid, column.attnum)),
      );
    return this.#someColumn;
  }

  #relation(use: RelationUse): void {
    const made = use.role === 'create';
    const named = this.#names.relation(made ? this.#names.creation(use) : use.schema, use.name);
    const { relation } = named;
    if (named.either !== undefined) this.refusal ??= uncertainName(use.name, named.either);
    // Nobody reads what that code does: who may do anything by code may do this, too.
    if (this.#names.reshaped) this.pairs.add('sql.do', this.#input.resource);
    if (use.schema === undefined && !made) this.#resolved.push([use.name, relation?.oid ?? 0]);
    if (relation === undefined) return this.#unknownRelation(use, named.schema);
    this.touched.push(inReach(use, relation, this.#catalog, this.#input));
    const counted = this.#counted(use);
    this.pairs.add(ACTIONS[use.role], this.#table(relation), counted);
    const write = WRITES[use.role];
    if (write === 'truncate' && this.#facts.cascade) this.#effects.truncateCascade(relation);
    else if (write !== undefined)
      this.#effects.write(relation, write, {
        columns: use.columns && new Set(use.columns),
        inherits: use.inherits,
        counted,
      });
    if (use.role === 'alter' && use.columns !== undefined) this.written.add(relation, new Set(use.columns));
    if (READS.has(use.role)) this.#effects.read(relation, use.inherits);
    if (MAINTAINS.has(use.role)) this.#effects.maintain(relation);
  }

  /** EXPLAIN alone changes no rows; if it runs them, nobody tells how many. What is prepared is going to be run. */
  #counted(use: RelationUse): boolean {
    return this.#facts.explain === undefined ? use.counted === true : isNotRun(this.#facts);
  }

  #unknownRelation(use: RelationUse, where: string): void {
    this.touched.push({ relation: undefined, masked: new Set() });
    this.pairs.add(ACTIONS[use.role], this.#entities.unknownTable(where, use.name), this.#counted(use));
    if (WRITES[use.role] !== undefined) this.written.addUnknown(use.schema, use.name);
    if (isSensitive({ schema: use.schema ?? 'pg_catalog', name: use.name })) this.#sensitive(use.name);
    // It may be a view that the catalog does not show yet; what goes shows nothing.
    if (['sql.create', 'sql.drop'].includes(ACTIONS[use.role]) || !this.#columnsMasked()) return;
    if (use.role === 'read') this.taint.expression(`relation ${use.name}, which is not known,`, [ELSEWHERE]);
    this.taint.everything();
    this.#implicitMasked = true;
  }

  #table(relation: Relation): PolicyObject {
    if (isSensitive(relation) && this.anyMasked()) {
      const shown = sensitiveOutputs(relation, this.#facts, this.#names, this.#analysed);
      if (shown === undefined) this.#sensitive(relation.name);
      for (const index of shown ?? []) this.outputs.withheld.add(index);
    }
    return this.#entities.table(relation, this.#input.tagsOf(relation.oid));
  }

  #sensitive(name: string): void {
    if (!this.anyMasked()) return;
    this.#refuse(
      'sensitive-catalog',
      `${name} shows samples of data, and columns here are masked for you`,
      HINTS.askForTable,
    );
  }

  #implicitRelation(...[relation, action, counted, through]: Parameters<Effects['relation']>): void {
    this.pairs.add(ACTIONS[action], this.#table(relation), counted, through);
    this.hasRowSecurity ||= relation.rowSecurity;
    if (maskedColumns(relation, this.#input.isMasked).size > 0) this.#implicitMasked = true;
  }

  /** A call that no text shows, nor what it is given. Built-in trigger functions do what their names say. */
  #unseen(use: ResolvedFunction, through?: string): void {
    if (use.schema === 'pg_catalog' && use.name.includes('trigger')) return;
    this.#call(use, false, through);
    this.outputs.calls(use, undefined);
    if (setsSettings(use)) this.#setting(ANY_SETTING);
  }

  /**
   * Functions that only compute, or read what every role may know, are part of the statement that calls them: rules
   * find them in the context. All others are something done, with a pair of its own.
   */
  #call(called: ResolvedFunction, isClear = false, through?: string): void {
    const use = asRun(called, this.#catalog);
    this.#functions.add(`${use.schema}.${use.name}`);
    // What such a one is made of queries, and nothing else.
    if (!isClear || use.class !== 'user') this.#steering.call(use);
    if (use.class === 'unsafe' && !isBlind(use.name)) this.#unsafe(use);
    if (use.class === 'pure' || use.class === 'catalog') return;
    this.pairs.add('sql.call', this.#entities.function(use.schema, use.name, use.class), false, through);
  }

  #namedFunctions(): void {
    for (const use of this.#facts.functions) {
      const name = use.name.at(-1) ?? '';
      const resolved = resolveFunction(use, this.#names);
      if (name === 'set_config' && resolved.some((one) => one.schema === 'pg_catalog')) {
        this.#setConfig(use.constants);
        if (resolved.length === 1) continue;
      }
      const isClear = resolved.some(isUntrusted) && this.#columnsMasked() && this.#isClear(use);
      for (const one of resolved) {
        this.#call(one, isClear);
        if (isClear && isUntrusted(one)) this.clear.push([one, use]);
        else this.#untraced(one, use);
      }
    }
  }

  #isRevealed({ schema, name }: ResolvedFunction): boolean {
    return this.#input.reveals?.(this.#entities.function(schema, name, 'user')) === true;
  }

  /** A cursor stays open while functions are replaced. */
  #isClear({ name, notation }: FunctionUse): boolean {
    const { results } = this.#input;
    if (results === undefined || notation !== 'call' || this.#facts.declares !== undefined) return false;
    this.#clearCalls ??= new ClearCalls(this.#analysed, results, this.#names.path, this.#input.isMasked);
    return this.#clearCalls.isClear(name.at(-1) ?? '');
  }

  /** Code that runs in the same statement may replace a function, or set where it looks names up. */
  #stillClear(): void {
    const { steers, reshapes } = this.#steering.effects;
    if (!steers && !reshapes && !this.#steering.altersSchema) return;
    for (const [one, use] of this.clear.splice(0)) this.#untraced(one, use);
  }

  /** Compiled code that takes SQL as text, reads files or steers the server can reach what is masked. */
  #unsafe(use: ResolvedFunction): void {
    if (!this.anyMasked()) return;
    this.#refuse('unsafe-function', `function ${use.name} could read what is masked for you`, HINTS.computes);
  }

  /** Extensions' own computing needs no distrust: it gives what its arguments hold, and these are traced. */
  #untraced(one: ResolvedFunction, { notation, items }: Pick<FunctionUse, 'notation' | 'items'>): void {
    if (!this.#columnsMasked()) return;
    const isUnknown = isUntrusted(one) && !this.#isRevealed(one);
    if (isUnknown && one.opaque === true) this.#unsafe(one);
    if (notation === 'procedure') this.taint.everything();
    else if (isUnknown) this.taint.unknownSource(`function ${one.schema}.${one.name}`, items);
    else if (writesOutMasked(one, this.#catalog, this.#input.isMasked))
      this.taint.expression(`function ${one.name}`, items);
    else this.outputs.calls(one, items);
  }

  /** What is called by another sign than its name: where it stands is not kept. */
  #sign(what: string, oid: number): void {
    const resolved = resolveOid(oid, this.#catalog);
    if (resolved === undefined) return;
    this.#unseen(resolved, what);
    if (this.#columnsMasked()) this.taint.unknownSource(what, [ELSEWHERE]);
  }

  /** `t.f` with a user's function f is the call f(t), unless f is a column of what t certainly is. */
  #fieldCalls(): void {
    for (const { path, star, item } of this.#facts.columns) {
      const name = path.at(-1);
      if (star || name === undefined || path.length < 2) continue;
      const candidates = this.#names.userFunctions([name]);
      if (candidates.length === 0 || isColumnOf(path.at(-2) ?? '', name, this.#facts, this.touched)) continue;
      for (const one of candidates) {
        const call: ResolvedFunction = { ...one, class: 'user' };
        this.#call(call);
        this.#untraced(call, { notation: 'field', items: [item] });
      }
    }
  }

  /** Domains, casts, operators, input and output of types: what they run needs no name. */
  #types(): void {
    const [facts, catalog] = [this.#facts, this.#catalog];
    const relations = this.touched.map(({ relation }) => relation);
    const { parameterTypes = [] } = this.#input;
    const runs = { facts, catalog, relations, writes: WRITING, parameterTypes };
    for (const [oid, what] of runByTypes(runs, this.#analysed)) this.#sign(what, oid);
  }

  #setting(setting: SettingFact): void {
    if (setting.verb === 'show')
      return this.pairs.add('sql.show', this.#entities.setting(setting.name, true));
    if (isTransactionSetting(setting.name)) return this.pairs.add('sql.transaction', this.#input.resource);
    const { beganAsItself: asItself = false } = this.#input;
    const { loginTriggers, serverVersion } = this.#catalog;
    const safe = isSafeSetting(setting, this.#input, { asBegun: !loginTriggers, asItself, serverVersion });
    this.#steering.setting(setting);
    this.pairs.add(safe ? 'sql.set' : 'sql.set-unsafe', this.#entities.setting(setting.name, safe));
    if (!safe) this.#unsafeSet(setting.name);
  }

  #unsafeSet(name: string): void {
    this.unsafeSetting = true;
    if (!this.anyMasked() || !isOfReading(name)) return;
    this.#refuse(
      'unsafe-setting',
      `setting ${name} could change how statements are read, and values here are masked`,
      HINTS.keepSetting,
    );
  }

  /** `set_config('name', 'value', …)` is the SET it stands for; only what may be set to anything is set to a parameter. */
  #setConfig([name, value]: FunctionUse['constants'] = []): void {
    if (typeof name !== 'string' || (value === undefined && !isFree(name, this.#input))) {
      this.#steering.unknown();
      return this.#refuse('set-config', 'set_config is allowed with constants only', HINTS.changeByItself);
    }
    this.#functions.add('pg_catalog.set_config');
    this.#setting(settingByCall(name, value));
  }

  #object({ action, kind, name }: ObjectFact): void {
    if (action === 'admin' || action === 'replicate') this.pairs.add(`sql.${action}`, this.#input.resource);
    else {
      const { touched } = this;
      const around = { touched, facts: this.#facts, names: this.#names, entities: this.#entities };
      this.pairs.add(`sql.${action}`, namedObject(kind, name, around));
    }
  }

  /** What the statement is as such, and a pair for one that names nothing. */
  #statement(): void {
    const { copy, channel, discards, opaque, kind } = this.#facts;
    const resource = this.#input.resource;
    if (copy !== undefined && copy.target !== 'client') this.pairs.add('sql.admin', resource);
    if (copy !== undefined && copy.relation === undefined) this.#copiedQuery();
    // To listen no more asks for nothing.
    if (channel?.verb === 'notify') this.pairs.add('sql.notify', resource);
    if (channel?.verb === 'listen') this.pairs.add('sql.listen', resource);
    // What was made or cached goes; the settings that DISCARD ALL resets have pairs of their own.
    if (discards !== undefined && discards !== 'all') this.pairs.add('sql.transaction', resource);
    if (kind === 'ddl' || this.#facts.materializes) this.#effects.changesSchema();
    if (opaque === 'DO') this.pairs.add('sql.do', resource);
    if (kind === 'transaction') this.pairs.add('sql.transaction', resource);
    // A prepared transaction outlives its session, and any session of the same role may end it.
    if (this.#facts.transaction?.includes('prepare') === true) this.pairs.add('sql.admin', resource);
    // What names nothing asks for no more than the connection itself.
    if (this.pairs.size === 0) this.pairs.add('connect', resource);
  }

  #copiedQuery(): void {
    const reads = this.#facts.relations.flatMap((use, index) =>
      use.role === 'read' ? (this.touched[index]?.relation ?? []) : [],
    );
    if (reads.length === 0) this.pairs.add('sql.copy-out', this.#input.resource);
    for (const relation of reads) this.pairs.add('sql.copy-out', this.#table(relation));
  }

  /** Code that the gateway does not read could copy what is masked to where it is not. */
  #opaque(): void {
    const { opaque, copy } = this.#facts;
    const what = opaque ?? (copy && copy.target !== 'client' ? 'COPY to or from the server' : undefined);
    if (what === undefined || !this.anyMasked()) return;
    this.#refuse('masked-code', `${what} could reach what is masked for you`, HINTS.askUnmasked);
  }

  /** The first reason counts. */
  #refuse(rule: PostgresRule, reason: string, hint?: string): void {
    this.refusal ??= { code: 'ERR_DENIED', rule, reason, ...(hint === undefined ? {} : { hint }) };
  }
}
