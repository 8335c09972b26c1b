import { type FieldPath, parseFieldPath } from '../../../masking/json/field-path.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import { isRefused } from '../../http/request/refusals.ts';
import {
  type Classification,
  type ClassifiedField,
  type ClassifiedRoute,
  fieldObject,
} from '../../http/shown/classification.ts';
import { pluralOf } from '../entities.ts';
import { type ObjectAddress, readAddress } from '../request/address.ts';

/** As configured: tags of members by the kind of an object, `secrets`, `deployments.apps`, `*`, and their path in it. */
export type ConfiguredKinds = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Of every kind. */
const ANY_KIND = '*';
const SECRET = ['secret.kubernetes'];
/** What is secret in any cluster: values of Secrets, those of Helm's releases too, and tokens of service accounts. */
const ALWAYS: ConfiguredKinds = {
  secrets: { '$.data.*': SECRET, '$.stringData.*': SECRET },
  'serviceaccounts/token': { '$.status.token': SECRET },
};

/** Where an object stands in an answer: alone, in a list, in an event of a watch, in a row of a table, and in one of these in an event. */
const FORMS = ['$', '$.items', '$.object', '$.object.items', '$.rows.object', '$.object.rows.object'];
/** Where a patch has values that stand in no object: of `application/json-patch+json`. */
const PATCHED = parseFieldPath('$.value')!;
/** Objects keep in them what they were applied from, and whatever else tools write down, as JSON; so do templates, wherever they stand. */
const NOTES = [parseFieldPath('$..metadata.annotations.*')!];
/** Parts of objects that are answered by something else than an object: a text, a stream, another server. */
const NO_OBJECTS: ReadonlySet<string> = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);
/** Members that clients decode from base64, by kind. */
const BASE64: Readonly<Record<string, string>> = { secrets: 'data', configmaps: 'binarydata' };

/**
 * What is classified of a cluster's objects, said once for each kind and looked for in every form in which an answer has them.
 * What tells clients which kinds there are is known to everybody.
 *
 * Pure.
 *
 * @param configured Beside what is secret in any cluster. Checked: every path can be read.
 */
export function classifiedKinds(cluster: PolicyObject, configured: ConfiguredKinds): Classification {
  const kinds = [...new Set([...Object.keys(ALWAYS), ...Object.keys(configured)])];
  return {
    routes: kinds.flatMap((kind) => routesOf(cluster, kind, { ...ALWAYS[kind], ...configured[kind] })),
    headers: [],
    isOpen(segments) {
      const address = readAddress(segments, false);
      return !isRefused(address) && 'discovery' in address && address.discovery;
    },
  };
}

function routesOf(
  cluster: PolicyObject,
  kind: string,
  fields: Readonly<Record<string, readonly string[]>>,
): readonly ClassifiedRoute[] {
  const objects = Object.entries(fields).map(([text, tags]) => ({
    text,
    object: fieldObject(cluster, kind, text, tags),
  }));
  const on = (segments: readonly string[]) => {
    const address = readAddress(segments, false);
    return !isRefused(address) && 'kind' in address && isOfKind(address, kind);
  };
  return [
    {
      matches: (_method, segments) => on(segments),
      fields: objects.flatMap(({ text, object }) => everyForm(kind, text, object)),
      documents: NOTES,
    },
    {
      matches: (method, segments) => method === 'PATCH' && on(segments),
      fields: objects.map(({ object }) => ({ path: PATCHED, object })),
    },
  ];
}

function isOfKind(address: ObjectAddress, kind: string): boolean {
  const { subresource } = address;
  if (NO_OBJECTS.has(subresource)) return false;
  const plural = pluralOf(address);
  return kind === ANY_KIND || kind === plural || kind === `${plural}/${subresource}`;
}

/** What no column of the server's own shows: of Secrets and ConfigMaps how many values they have, of containers no variable. */
const IN_NO_COLUMN: Readonly<Record<string, ReadonlySet<string>>> = {
  secrets: new Set(['data', 'stringdata']),
  configmaps: new Set(['data', 'binarydata']),
};

function inColumns(kind: string, { steps }: FieldPath): boolean {
  const names = steps.map(({ name }) => name);
  return !(IN_NO_COLUMN[kind]?.has(names[0] ?? '') || names.slice(-2).join('.') === 'env.value');
}

function everyForm(kind: string, text: string, object: PolicyObject): readonly ClassifiedField[] {
  const own = parseFieldPath(text)!;
  const base64 = own.steps[0]?.name === BASE64[kind];
  const elsewhere = inColumns(kind, own);
  return inEveryForm(text).map((path) => ({ path, object, base64, elsewhere }));
}

function inEveryForm(text: string): readonly FieldPath[] {
  return FORMS.flatMap((form) => parseFieldPath(form + text.slice(1)) ?? []);
}
