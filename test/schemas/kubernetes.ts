/**
 * `npm run schemas -- kubernetes API MACHINERY`: how objects are written in protobuf, from the sources of the Go modules
 * `k8s.io/api` and `k8s.io/apimachinery` (Apache-2.0), where they lie unpacked.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'src/protocols/kubernetes/forms/messages.json';
/** What clients write, in versions that are served; the directory's name is the first label of its group's. */
const GROUPS = [
  ...['core/v1', 'apps/v1', 'batch/v1', 'batch/v1beta1', 'autoscaling/v1', 'autoscaling/v2', 'policy/v1'],
  ...['policy/v1beta1', 'admissionregistration/v1', 'authentication/v1', 'authentication/v1beta1'],
  ...['authorization/v1', 'certificates/v1', 'coordination/v1', 'discovery/v1', 'events/v1', 'networking/v1'],
  ...['node/v1', 'rbac/v1', 'scheduling/v1', 'storage/v1'],
];
const MACHINERY = ['pkg/apis/meta/v1', 'pkg/api/resource', 'pkg/util/intstr', 'pkg/runtime'];
const SCALARS: ReadonlyMap<string, string> = new Map([
  ['string', 's'],
  ['bytes', 'y'],
  ['bool', 'b'],
  ['int32', 'i'],
  ['int64', 'i'],
]);

const [api = '', machinery = ''] = process.argv.slice(3);
const messages: Record<string, string> = {};
for (const group of GROUPS) readFolder(join(api, group), group.replace('/', '.'));
for (const folder of MACHINERY)
  readFolder(join(machinery, folder), folder.replace(/^pkg\/(?:apis\/|api\/|util\/)?/, '').replace('/', '.'));
for (const name of Object.keys(messages)) if (/List$/.test(name)) delete messages[name];
const [, release] = /@(v\d+\.\d+\.\d+)\/?$/.exec(api) ?? [];
if (release === undefined) throw new Error(`${api} is named after no version`);
writeFileSync(FILE, `${JSON.stringify({ api: release, messages }, undefined, 2)}\n`);

function readFolder(folder: string, within: string): void {
  const text = readFileSync(join(folder, 'generated.proto'), 'utf8').replace(/^\s*\/\/(?! items,).*\n/gm, '');
  const { inline, renamed } = goFields(folder);
  for (const [, name, body] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields = [
      ...body!.matchAll(/^ +(optional|repeated|map<string, ([\w.]+)>) ?([\w.]*) (\w+) = (\d+);/gm),
    ];
    const wraps = body!.includes('// items,');
    messages[`${within}.${name}`] =
      (wraps ? '= ' : '') +
      fields
        .map(([, how, ofMap, type, field, number]) => {
          const key = `${name} ${number}`;
          const form = ofMap !== undefined ? '%' : how === 'repeated' ? '*' : inline.has(key) ? '^' : '';
          return `${number} ${renamed.get(key) ?? field} ${form}${typeOf(ofMap ?? type!, within)}`;
        })
        .join(', ');
  }
}

function typeOf(type: string, within: string): string {
  const scalar = SCALARS.get(type);
  if (scalar !== undefined) return scalar;
  if (!type.startsWith('.')) return `${within}.${type}`;
  return type.slice(1).replace(/^k8s\.io\.(?:api|apimachinery\.pkg)\.(?:apis\.|api\.|util\.)?/, '');
}

/** What Go's tags say beyond the description: what stands in its parent, and what has another name in JSON. */
function goFields(folder: string) {
  const inline = new Set<string>();
  const renamed = new Map<string, string>();
  for (const file of readdirSync(folder).filter((name) => /^(?:types|quantity|intstr)\w*\.go$/.test(name))) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, struct, body] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
      for (const [, json, number, name] of body!.matchAll(
        /`json:"([^"]*)"[^`]*protobuf:"\w+,(\d+)[^"]*?(?:name=(\w+)[^"]*)?"/g,
      )) {
        const [called = '', ...how] = json!.split(',');
        if (how.includes('inline')) inline.add(`${struct} ${number}`);
        else if (called !== name && called !== '') renamed.set(`${struct} ${number}`, called);
      }
  }
  return { inline, renamed };
}
