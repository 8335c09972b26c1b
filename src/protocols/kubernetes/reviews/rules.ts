import { Turns } from '../../../core/turns.ts';
import type { Weighs } from '../../http/relay/meaning.ts';
import { type Json, listOf, membersOf } from '../guards/json.ts';
import { type AskedAbout, aboutObject, aboutPath } from './questions.ts';

const ALL = '*';
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
/** Questions to policy for one answer. */
const MAX_QUESTIONS = 2_048;

/**
 * What of a list of rules, as a cluster has answered it, policy permits as well: what no rule of either permits is not in it. Others
 * have their turn between its questions.
 */
export async function permittedOf(answer: Json, namespace: string, weighs: Weighs): Promise<Json> {
  const { status, ...rest } = membersOf(answer);
  const { resourceRules, nonResourceRules, incomplete, evaluationError } = membersOf(status);
  const list = new Permitted(weighs);
  const objects: object[] = [];
  for (const rule of listOf(resourceRules))
    objects.push(...(await list.ofObjects(membersOf(rule), namespace)));
  const paths: object[] = [];
  for (const rule of listOf(nonResourceRules)) paths.push(...(await list.ofPaths(membersOf(rule))));
  const left = list.left ? [LEFT_OUT] : [];
  const errors = [evaluationError, ...left].filter((one) => typeof one === 'string' && one !== '');
  return {
    ...rest,
    status: {
      resourceRules: objects,
      nonResourceRules: paths,
      incomplete: incomplete === true || list.left,
      ...(errors.length > 0 ? { evaluationError: errors.join('; ') } : {}),
    },
  };
}

const LEFT_OUT =
  'the cluster permits kinds without naming them, and the gateway answers for one at a time: kubectl auth can-i VERB KIND';

type Members = Readonly<Record<string, Json>>;

class Permitted {
  readonly #weighs: Weighs;
  readonly #turns = new Turns();
  #questions = 0;
  /** Something was not asked about. */
  left = false;

  constructor(weighs: Weighs) {
    this.#weighs = weighs;
  }

  async ofObjects(rule: Members, namespace: string): Promise<readonly object[]> {
    const permitted: object[] = [];
    for (const { group, resource, name } of namedBy(rule)) {
      const [kind = '', subresource = ''] = resource.split('/');
      const at = { group, resource: kind, subresource, name, namespace };
      if (this.#isAny([group, kind, subresource])) continue;
      const verbs = await this.#those(this.#verbsOf(rule), (verb) => aboutObject({ ...at, verb }));
      const named = name === '' ? {} : { resourceNames: [name] };
      if (verbs.length > 0) permitted.push({ verbs, apiGroups: [group], resources: [resource], ...named });
    }
    return permitted;
  }

  /** A path that ends in a star stands for what it begins with. */
  async ofPaths(rule: Members): Promise<readonly object[]> {
    const begins = (path: string) => path.replace(/\/\*$/, '');
    const told = texts(rule['nonResourceURLs']).filter((path) => !this.#isAny([begins(path) || ALL]));
    const paths = await this.#those(told, (path) => aboutPath({ path: begins(path), verb: 'get' }));
    return paths.length === 0 ? [] : [{ verbs: ['get'], nonResourceURLs: paths }];
  }

  #isAny(named: readonly string[]): boolean {
    if (!named.includes(ALL)) return false;
    this.left = true;
    return true;
  }

  #verbsOf(rule: Members): readonly string[] {
    const verbs = texts(rule['verbs']);
    return verbs.includes(ALL) ? VERBS : verbs;
  }

  async #those(named: readonly string[], about: (one: string) => AskedAbout): Promise<readonly string[]> {
    const permitted: string[] = [];
    for (const one of named) {
      if (this.#may(about(one))) permitted.push(one);
      if (this.#turns.spent) await this.#turns.next();
    }
    return permitted;
  }

  #may(about: AskedAbout): boolean {
    if (this.#questions++ >= MAX_QUESTIONS) this.left = true;
    if ('unknown' in about || this.#questions > MAX_QUESTIONS) return false;
    return this.#weighs(about.of).decision.effect !== 'deny';
  }
}

/** Every group, kind and name that a rule speaks of together; its name is empty where it speaks of all. */
function* namedBy(rule: Members): Generator<{ group: string; resource: string; name: string }> {
  const names = texts(rule['resourceNames']);
  for (const group of texts(rule['apiGroups']))
    for (const resource of texts(rule['resources']))
      for (const name of names.length === 0 ? [''] : names) yield { group, resource, name };
}

function texts(value: Json): readonly string[] {
  return listOf(value).filter((one) => typeof one === 'string');
}
