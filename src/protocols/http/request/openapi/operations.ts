import { isMethod, type Method } from '../methods.ts';
import { isMapping, type Mapping, Mistake, type OpenApiDocument, own, type Place } from './document.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { type PathTemplate, parseTemplate } from './template.ts';

/** One operation that a file describes. */
export interface ApiOperation {
  /** Its operationId, else `GET /users/{id}`; no other has it. */
  readonly id: string;
  readonly tags: readonly string[];
  readonly method: Method;
  readonly template: PathTemplate;
  readonly parameters: Parameters;
  /** Media types of its body, in lower case, patterns such as `text/*` too; empty: it has no body. */
  readonly contentTypes: readonly string[];
}

const MAX_OPERATIONS = 5000;
const WORDS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/**
 * Every operation of a file, in no order.
 *
 * @throws {Mistake}
 */
export function readOperations(document: OpenApiDocument): ApiOperation[] {
  const paths = document.mapping(own(document.root, 'paths'), ['paths']);
  const operations: ApiOperation[] = [];
  const templates = new Map<string, string>();
  for (const [text, value] of Object.entries(paths)) {
    if (text.startsWith('x-')) continue;
    const place = ['paths', text];
    const template = parseTemplate(text);
    if (template === undefined)
      throw new Mistake(place, 'is no path', 'begin it with a slash, and write {name} for what differs');
    const shape = JSON.stringify(template.segments);
    const same = templates.get(shape);
    if (same !== undefined)
      throw new Mistake(place, `stands for the same paths as ${same}`, 'keep one of them');
    templates.set(shape, text);
    operations.push(...ofPath(document, template, value, place));
    if (operations.length > MAX_OPERATIONS)
      throw new Mistake(place, `is beyond ${MAX_OPERATIONS} operations`, 'leave out what nobody may use');
  }
  demandDistinct(operations);
  return operations;
}

function ofPath(
  document: OpenApiDocument,
  template: PathTemplate,
  value: unknown,
  place: Place,
): ApiOperation[] {
  const item = document.mapping(value, place);
  return WORDS.flatMap((word) => {
    const method = word.toUpperCase();
    const described = own(item, word);
    if (described === undefined || !isMethod(method)) return [];
    const at = [...place, word];
    const operation = document.mapping(described, at);
    return [
      {
        id: idOf(operation, at) ?? `${method} ${template.text}`,
        tags: tagsOf(operation),
        method,
        template,
        parameters: readParameters(document, [
          { list: own(item, 'parameters'), place: [...place, 'parameters'] },
          { list: own(operation, 'parameters'), place: [...at, 'parameters'] },
        ]),
        contentTypes: contentTypesOf(document, operation, at),
      },
    ];
  });
}

function idOf(operation: Mapping, place: Place): string | undefined {
  const id = own(operation, 'operationId');
  if (id === undefined) return undefined;
  if (typeof id === 'string' && /^[^\p{Cc}]{1,256}$/u.test(id)) return id;
  throw new Mistake([...place, 'operationId'], 'is no name', 'write a name such as getUser');
}

function tagsOf(operation: Mapping): string[] {
  const tags = own(operation, 'tags');
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string').slice(0, 64) : [];
}

function contentTypesOf(document: OpenApiDocument, operation: Mapping, place: Place): string[] {
  const body = own(operation, 'requestBody');
  if (body === undefined) return [];
  const at = [...place, 'requestBody'];
  const content = own(document.mapping(body, at), 'content');
  if (!isMapping(content)) throw new Mistake(at, 'has no content', 'name its media types below content');
  return Object.keys(content).map((type) => type.split(';')[0]!.trim().toLowerCase());
}

function demandDistinct(operations: readonly ApiOperation[]): void {
  const seen = new Set<string>();
  for (const { id, template, method } of operations) {
    const place = ['paths', template.text, method.toLowerCase(), 'operationId'];
    if (seen.has(id))
      throw new Mistake(place, `is there twice: ${id}`, 'give each operation a name of its own');
    seen.add(id);
  }
}
