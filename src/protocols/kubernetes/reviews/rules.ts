import type { Weighs } from '../../http/relay/meaning.ts';
import { type Json, listOf, membersOf } from '../guards/json.ts';
import { type AskedAbout, aboutObject, aboutPath } from './questions.ts';

const ALL = '*';
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
/** Questions to policy for one answer. */
const MAX_QUESTIONS = 2_048;

/** What of a list of rules, as a cluster has answered it, policy permits as well: what no rule of either permits is not in it. Pure. */
export function permittedOf(answer: Json, namespace: string, weighs: Weighs): Json {
  const { status, ...rest } = membersOf(answer);
  const { resourceRules, nonResourceRules, incomplete, evaluationError } = membersOf(status);
  const list = new Permitted(weighs);
  const objects = listOf(resourceRules).flatMap((rule) => list.ofObjects(membersOf(rule), namespace));
  const paths = listOf(nonResourceRules).flatMap((rule) => list.ofPaths(membersOf(rule)));
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
  #questions = 0;
  /** Something was not asked about. */
  left = false;

  constructor(weighs: Weighs) {
    this.#weighs = weighs;
  }

  ofObjects(rule: Members, namespace: string): readonly object[] {
    const names = texts(rule['resourceNames']);
    return texts(rule['apiGroups']).flatMap((group) =>
      texts(rule['resources']).flatMap((resource) =>
        (names.length === 0 ? [''] : names).flatMap((name) => {
          const [kind = '', subresource = ''] = resource.split('/');
          const at = { group, resource: kind, subresource, name, namespace };
          if (this.#isAny([group, kind, subresource])) return [];
          const verbs = this.#verbsOf(rule).filter((verb) => this.#may(aboutObject({ ...at, verb })));
          if (verbs.length === 0) return [];
          const named = name === '' ? {} : { resourceNames: [name] };
          return [{ verbs, apiGroups: [group], resources: [resource], ...named }];
        }),
      ),
    );
  }

  /** A path that ends in a star stands for what it begins with. */
  ofPaths(rule: Members): readonly object[] {
    const paths = texts(rule['nonResourceURLs']).filter((path) => {
      const begins = path.replace(/\/\*$/, '');
      return (
        !this.#isAny([begins === '' ? ALL : begins]) && this.#may(aboutPath({ path: begins, verb: 'get' }))
      );
    });
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

  #may(about: AskedAbout): boolean {
    if (this.#questions++ >= MAX_QUESTIONS) this.left = true;
    if ('unknown' in about || this.#questions > MAX_QUESTIONS) return false;
    return this.#weighs(about.of).decision.effect !== 'deny';
  }
}

function texts(value: Json): readonly string[] {
  return listOf(value).filter((one) => typeof one === 'string');
}
