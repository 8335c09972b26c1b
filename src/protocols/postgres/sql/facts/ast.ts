/** Reads the parser's JSON without trusting its shape. */
export type Ast = Readonly<Record<string, unknown>>;

export function isAst(value: unknown): value is Ast {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{Type: {…}}` → type and body; undefined for the empty node `{}` that stands for a NIL list entry. */
export function unwrap(value: unknown): { readonly type: string; readonly body: Ast } | undefined {
  if (!isAst(value)) return undefined;
  const [type, ...more] = Object.keys(value);
  if (type === undefined || more.length > 0) return undefined;
  const body = value[type];
  return isAst(body) ? { type, body } : undefined;
}

/** The body if the node is of that type. */
export function bodyOf(value: unknown, type: string): Ast | undefined {
  const node = unwrap(value);
  return node?.type === type ? node.body : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text field; protobuf leaves empty ones out. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** The `String` nodes of a list, in order; other nodes (such as `A_Star`) are left out. */
export function strings(value: unknown): string[] {
  const names: string[] = [];
  for (const entry of list(value)) {
    const body = bodyOf(entry, 'String');
    if (body !== undefined) names.push(text(body['sval']));
  }
  return names;
}

/** Names of an object in DDL: `List`, `TypeName`, `ObjectWithArgs`, `String`. Empty if it has none. */
export function objectName(value: unknown): string[] {
  const node = unwrap(value);
  if (node === undefined) return [];
  switch (node.type) {
    case 'String':
      return [text(node.body['sval'])];
    case 'List':
      return list(node.body['items']).flatMap(objectName);
    case 'TypeName':
      return strings(node.body['names']);
    case 'ObjectWithArgs':
      return strings(node.body['objname']);
    default:
      return [];
  }
}

/** A constant as text; null for SQL NULL; undefined if it is no constant. */
export function constant(value: unknown): string | null | undefined {
  const node = unwrap(value);
  if (node?.type === 'TypeCast') return constant(node.body['arg']);
  if (node?.type === 'String') return text(node.body['sval']);
  if (node?.type === 'Integer') return String(number(node.body['ival']));
  if (node?.type === 'Float') return text(node.body['fval']);
  if (node?.type === 'Boolean') return String(node.body['boolval'] === true);
  if (node?.type !== 'A_Const') return undefined;
  const { ival, fval, boolval, sval, bsval, isnull } = node.body;
  if (isnull === true) return null;
  if (isAst(sval)) return text(sval['sval']);
  if (isAst(ival)) return String(number(ival['ival']));
  if (isAst(fval)) return text(fval['fval']);
  if (isAst(boolval)) return String(boolval['boolval'] === true);
  if (isAst(bsval)) return text(bsval['bsval']);
  return undefined;
}
