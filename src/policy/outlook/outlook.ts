import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Principal } from '../../identity/principal.ts';
import { askedOf, principalKey } from '../entities.ts';
import type { LoadedPolicy, PolicySet } from '../load.ts';
import { AnswerMemory } from '../memory.ts';
import type { PolicyObject } from '../model.ts';
import { isAbout } from '../sight.ts';
import type { Vocabulary } from '../vocabulary/index.ts';
import { askPartially, type PartialRequest, type Said } from './partial.ts';
import { type RuleFacts, ruleFacts } from './rule-facts.ts';
import { anyObject, attributesOf, factsOf, mayLack, openFacts } from './stand-ins.ts';

export type Effect = 'allow' | 'hold' | 'deny';

/** What a verb may come to at a resource: one effect is certain, of several it depends on the object or the request. */
export interface Outlook {
  readonly effects: ReadonlySet<Effect>;
  /** Names under which people would have to say yes, sorted. */
  readonly approvals: readonly string[];
}

const CAPACITY = 4096;
/** Rules about one verb; where there are more it is said to depend, and Cedar is not kept busy with it. */
const MAX_RULES = 200;
const ANYTHING: Outlook = { effects: new Set(['allow', 'hold', 'deny']), approvals: [] };

type Rule = LoadedPolicy & { readonly facts: RuleFacts };

/**
 * What somebody may do at a resource before it is known to what exactly: the same rules, by Cedar's own partial evaluation.
 *
 * Never more certain than the engine is. An effect is named alone only where no object and no request of the kind gets another;
 * what Cedar cannot tell is left open. Says nothing about what adapters refuse, nor about rules that fail while they are evaluated.
 */
export class PolicyOutlook {
  readonly #vocabulary: Vocabulary;
  readonly #policies: readonly LoadedPolicy[];
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #facts = new Map<string, RuleFacts>();
  readonly #memory = new AnswerMemory<Outlook>(CAPACITY);

  constructor({ vocabulary, policies }: PolicySet) {
    this.#vocabulary = vocabulary;
    this.#policies = policies;
  }

  /** Verbs of one key are the same to every rule: one of them can be asked for all. */
  likeness(verb: string): string {
    const rules = this.#about(verb);
    if (rules.some(({ facts }) => facts.looksAtAction)) return verb;
    const { on, context, rows, rowless } = this.#vocabulary.verbs.find((row) => row.verb === verb)!;
    const kind = [on, context?.type, rows, rowless === undefined];
    return JSON.stringify([kind, rules.map(({ id }) => id)]);
  }

  /** @param type Of what the verb is done to. @param resource Below which it hangs. Never throws. */
  of(principal: Principal, verb: string, type: string, resource: PolicyObject): Outlook {
    const who = this.#memory.numberOf(principalKey(principal));
    const where = this.#memory.numberOf(JSON.stringify(resource));
    const key = `${who} ${verb} ${type} ${where}`;
    const known = this.#memory.get(key);
    if (known !== undefined) return known;
    const outlook = this.#of(principal, verb, type, resource);
    this.#memory.set(key, outlook);
    return outlook;
  }

  #of(principal: Principal, verb: string, type: string, resource: PolicyObject): Outlook {
    const rules = this.#about(verb);
    if (rules.length > MAX_RULES) return ANYTHING;
    const asked = askedOf(principal);
    const ask = (approvals: readonly string[]) =>
      asked.principals.map((one) => {
        const context = { approvals: [...approvals], delegated: asked.delegated };
        return this.#said(
          rules,
          { principal: one, action: verb, context, entities: asked.entities },
          { type, resource },
        );
      });
    const answers = ask([]);
    if (answers.some((one) => one === undefined)) return ANYTHING;
    const sides = answers.map((said) => sideOf(rules, said!));
    const approvals = [...new Set(sides.flatMap((side) => side.approvals))].sort();
    const lifted = approvals.length === 0 ? undefined : ask(approvals);
    const again = lifted?.map((said) => (said === undefined ? undefined : sideOf(rules, said)));
    const effects = effectsOf(sides, again);
    return {
      effects: this.#withBounds(effects, verb, rules, answers),
      approvals: effects.has('hold') ? approvals : [],
    };
  }

  /** What Cedar says of each rule, asked by a stand-in; of rules that could tell it from a real one, as open as they are. */
  #said(
    rules: readonly Rule[],
    request: Omit<PartialRequest, 'resource' | 'rules'>,
    { type, resource }: { readonly type: string; readonly resource: PolicyObject },
  ): ReadonlyMap<string, Said> | undefined {
    const schema = this.#vocabulary.parsedSchema();
    const attributes = attributesOf(schema, type);
    const facts = factsOf(schema, this.#vocabulary.contextOf(request.action));
    const by = (some: readonly Rule[], whole: boolean, known: boolean) => {
      const standIn = anyObject(resource, type, attributes, whole);
      return askPartially({
        ...request,
        resource: known ? standIn.uid : null,
        context: { ...openFacts(facts, whole), ...request.context },
        entities: [...request.entities, ...standIn.entities, verbEntity(this.#vocabulary, request.action)],
        rules: Object.fromEntries(some.map(({ id, text }) => [id, text])),
      });
    };
    const below = `${resource.id}/`;
    const points = ({ facts: { named } }: Rule) => named.some((id) => id === '' || id.startsWith(below));
    const all = [
      by(
        rules.filter((rule) => !points(rule)),
        true,
        true,
      ),
      by(rules.filter(points), true, type === resource.type),
    ];
    const unsure = rules.filter((rule) => rule.facts.asksForPresence && !points(rule));
    if (unsure.length > 0 && (mayLack(facts) || (mayLack(attributes) && type !== resource.type)))
      all.push(by(unsure, false, true));
    return together(all);
  }

  /** Where a permit bounds rows, what nobody can count is denied. */
  #withBounds(
    effects: Set<Effect>,
    verb: string,
    rules: readonly Rule[],
    answers: readonly (ReadonlyMap<string, Said> | undefined)[],
  ): Set<Effect> {
    const row = this.#vocabulary.verbs.find((one) => one.verb === verb);
    if (row?.rows !== 'uncounted') return effects;
    const bounding = rules.filter((rule) => rule.rows !== undefined);
    const states = bounding.flatMap(({ id }) => answers.map((said) => said?.get(id) ?? 'no'));
    if (states.includes('yes') && row.rowless === undefined) return new Set(['deny']);
    return states.every((said) => said === 'no') ? effects : effects.add('deny');
  }

  #about(verb: string): readonly Rule[] {
    const known = this.#rules.get(verb);
    if (known !== undefined) return known;
    const about = this.#policies.filter(({ sight }) => isAbout(verb, sight, this.#vocabulary));
    const rules = about.map((policy) => ({ ...policy, facts: this.#factsOf(policy) }));
    this.#rules.set(verb, rules);
    return rules;
  }

  #factsOf({ id, text }: LoadedPolicy): RuleFacts {
    const known = this.#facts.get(id) ?? ruleFacts(text);
    this.#facts.set(id, known);
    return known;
  }
}

/** Answers of several stand-ins: where they differ, that depends. Undefined: one of them failed. */
function together(
  all: readonly (ReadonlyMap<string, Said> | undefined)[],
): ReadonlyMap<string, Said> | undefined {
  const said = new Map<string, Said>();
  for (const one of all) {
    if (one === undefined) return undefined;
    for (const [id, word] of one) said.set(id, (said.get(id) ?? word) === word ? word : 'open');
  }
  return said;
}

/** The rules for one principal, as far as a decision turns on them. */
interface Side {
  readonly permitted: Said;
  /** By rules that no approval lifts; by rules that one does. */
  readonly forbidden: Said;
  readonly held: Said;
  readonly approvals: readonly string[];
}

function sideOf(rules: readonly Rule[], said: ReadonlyMap<string, Said>): Side {
  const any = (some: readonly Rule[]): Said => {
    const words = some.map(({ id }) => said.get(id) ?? 'open');
    return words.includes('yes') ? 'yes' : words.includes('open') ? 'open' : 'no';
  };
  const forbids = rules.filter(({ effect }) => effect === 'forbid');
  const lifted = forbids.filter(({ approval }) => approval !== undefined);
  return {
    permitted: any(rules.filter(({ effect }) => effect === 'permit')),
    forbidden: any(forbids.filter(({ approval }) => approval === undefined)),
    held: any(lifted),
    approvals: lifted.flatMap(({ id, approval }) => (said.get(id) === 'no' ? [] : (approval ?? []))),
  };
}

/** @param again With the approvals; undefined within: that failed. */
function effectsOf(sides: readonly Side[], again: readonly (Side | undefined)[] | undefined): Set<Effect> {
  const effects = new Set<Effect>();
  const open = sides.every(({ permitted, forbidden }) => permitted !== 'no' && forbidden !== 'yes');
  if (open && sides.every(({ held }) => held !== 'yes')) effects.add('allow');
  const mayHold = open && sides.some(({ held }) => held !== 'no');
  if (mayHold && again?.every((side) => side === undefined || mayPass(side))) effects.add('hold');
  const certain = sides.every(({ permitted, forbidden }) => permitted === 'yes' && forbidden === 'no');
  const lifts = !mayHold || again?.every((side) => side !== undefined && passes(side)) === true;
  if (!certain || !lifts) effects.add('deny');
  return effects;
}

function passes({ permitted, forbidden, held }: Side): boolean {
  return permitted === 'yes' && forbidden === 'no' && held === 'no';
}

function mayPass({ permitted, forbidden, held }: Side): boolean {
  return permitted !== 'no' && forbidden !== 'yes' && held !== 'yes';
}

/** The verb with the groups that it lies in: without the schema Cedar does not know them. */
function verbEntity(vocabulary: Vocabulary, verb: string): EntityJson {
  const words = Object.keys(vocabulary.parsedSchema()['']?.actions ?? {});
  const groups = words.filter((word) => vocabulary.isGroup(word) && vocabulary.verbsOf(word)?.includes(verb));
  return {
    uid: { type: 'Action', id: verb },
    attrs: {},
    parents: groups.map((id) => ({ type: 'Action', id })),
  };
}
