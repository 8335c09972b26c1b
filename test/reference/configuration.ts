/** Every key of `hoopd.yaml`, as its schema has it. */
import { configJsonSchema } from '../../src/gateway/config/json-schema.ts';
import { code, page, table } from './markdown.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

interface Key {
  readonly path: string;
  readonly required: boolean;
  readonly schema: Schema;
}

export function configurationReference(): string {
  const schema = configJsonSchema() as Schema;
  const required = new Set(schema.required);
  const parts = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => {
    const keys = keysOf({ path: name, required: required.has(name), schema: one });
    const rows = keys.map(({ path, required: must, schema: is }) => [
      code(path),
      kindOf(is),
      must ? 'required' : is.default === undefined ? '' : code(JSON.stringify(is.default)),
      is.description ?? '',
    ]);
    return [[`## ${name}`], table(['key', 'value', 'default', ''], rows)];
  });
  const intro = [
    '# Keys of hoopd.yaml',
    '',
    'What the schema takes. What each is for, with an example that has them all: [Configuration](../configuration.md). An editor that',
    'knows YAML takes the schema itself: [hoopd.schema.json](../hoopd.schema.json), or `hoopd check --schema`. `*` stands for a name of',
    'your own, `[]` for each of a list, `{env, file}` for a secret that stands in a variable or a file.',
  ];
  return page(intro, ...parts);
}

/** The key itself, and all below it. Several forms of one key are rows of their own where they have keys. */
function keysOf(key: Key): readonly Key[] {
  const { path, schema } = key;
  if (isSecret(schema)) return [key];
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) {
    const below = forms.flatMap((form) => keysOf({ path, required: false, schema: form }).slice(1));
    return [key, ...distinct(below)];
  }
  if (schema.items !== undefined)
    return [key, ...keysOf({ path: `${path}[]`, required: false, schema: schema.items }).slice(1)];
  const required = new Set(schema.required);
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
    keysOf({ path: `${path}.${name}`, required: required.has(name), schema: one }),
  );
  const others =
    typeof schema.additionalProperties === 'object'
      ? keysOf({ path: `${path}.*`, required: false, schema: schema.additionalProperties }).slice(1)
      : [];
  return [key, ...named, ...others];
}

/** Forms of one thing share keys: each is told once. */
function distinct(keys: readonly Key[]): readonly Key[] {
  const told = new Map<string, Key>();
  for (const key of keys) {
    const row = `${key.path} ${kindOf(key.schema)}`;
    if (!told.has(row)) told.set(row, key);
  }
  return [...told.values()];
}

function isSecret({ properties }: Schema): boolean {
  return properties !== undefined && Object.keys(properties).join() === 'env,file';
}

function kindOf(schema: Schema): string {
  if (isSecret(schema)) return '`{env, file}`';
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((one) => code(String(one))).join(' ');
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(kindOf))].join(' or ');
  if (schema.items !== undefined)
    return `list${range(schema.minItems, schema.maxItems)} of ${kindOf(schema.items)}`;
  if (schema.properties !== undefined) return 'keys';
  if (typeof schema.additionalProperties === 'object')
    return `names, each ${kindOf(schema.additionalProperties)}`;
  const type = typeof schema.type === 'string' ? schema.type : (schema.type ?? ['any']).join(' or ');
  return `${type}${range(schema.minimum, schema.maximum)}`;
}

function range(least: number | undefined, most: number | undefined): string {
  if (most === undefined || most === Number.MAX_SAFE_INTEGER) return '';
  return ` (${least ?? 0}…${most})`;
}
