import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** An entity that a policy names: `Resource::"name"`. */
export interface NamedEntity {
  readonly type: string;
  readonly id: string;
}

/** Every entity that a policy names, actions left out, each once. Pure. */
export function namedEntities(json: PolicyJson): NamedEntity[] {
  const found = new Map<string, NamedEntity>();
  collect({ ...json, action: undefined }, found);
  return [...found.values()];
}

function collect(value: unknown, found: Map<string, NamedEntity>): void {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && 'id' in value && typeof value.type === 'string' && typeof value.id === 'string') {
    if (value.type !== 'Action') found.set(`${value.type}::${value.id}`, { type: value.type, id: value.id });
    return;
  }
  for (const part of Object.values(value)) collect(part, found);
}

/** Every text that a policy's conditions have in them, such as the name of a tag, each once. Pure. */
export function writtenTexts({ conditions }: PolicyJson): string[] {
  return textsIn(conditions);
}

function textsIn(tree: unknown): string[] {
  const found = new Set<string>();
  const gather = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('Value' in value && typeof value.Value === 'string') found.add(value.Value);
    for (const part of Object.values(value)) gather(part);
  };
  gather(tree);
  return [...found];
}

/** Every text that a policy's conditions ask of tags, those of what is written too, each once. Pure. */
export function writtenTags({ conditions }: PolicyJson): string[] {
  const found = new Set<string>();
  const gather = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [op, operands] of Object.entries(value)) {
      if (op.startsWith('contains') && asksTags(operands))
        for (const tag of textsIn(operands)) found.add(tag);
      gather(operands);
    }
  };
  gather(conditions);
  return [...found];
}

const TAGS = /^(?:tags|columnTags)$/;

function asksTags(operands: unknown): boolean {
  if (typeof operands !== 'object' || operands === null || !('left' in operands)) return false;
  const { left } = operands;
  const member = typeof left === 'object' && left !== null && '.' in left ? left['.'] : undefined;
  if (typeof member !== 'object' || member === null || !('attr' in member)) return false;
  return typeof member.attr === 'string' && TAGS.test(member.attr);
}
