import { JsonMasker } from '../../../masking/json/json-masker.ts';
import { unreadable } from '../../../masking/pieces/unreadable.ts';
import { errorMessage } from './answer.ts';
import { verbOfAnswer } from './asked.ts';
import { NOT_PERMITTED } from './codes.ts';
import {
  type Edit,
  edited,
  elementsOf,
  type Member,
  membersOf,
  only,
  rootOf,
  type Span,
  stringAt,
} from './json-spans.ts';
import { ResultMasker } from './masked-result.ts';
import { idAt } from './message.ts';
import { isServerMethod } from './methods.ts';
import type { Sent } from './sessions.ts';
import type { RpcSight } from './sight.ts';

/**
 * What is shown of what a server says: one message, or a batch of them. Lists have only what may be asked for, results are
 * masked, and what the server asks is shown where it may be answered. What is not touched keeps its octets.
 *
 * @param text One JSON text.
 * @returns Undefined: nothing of it.
 * @throws {HoopError} `ERR_TARGET_LOST` it is no message of JSON-RPC.
 */
export function shownMessage(text: string, sight: RpcSight): string | undefined {
  demandJson(text);
  const root = rootOf(text);
  const batch = elementsOf(text, root);
  if (batch === undefined) {
    const shown = shownOne(text.slice(root.start, root.end), sight);
    return shown === undefined ? undefined : edited(text, [{ ...root, by: shown }]);
  }
  const kept = batch.flatMap(({ start, end }) => shownOne(text.slice(start, end), sight) ?? []);
  if (kept.length === 0) return undefined;
  if (kept.length < batch.length) return `[${kept.join(',')}]`;
  return edited(
    text,
    batch.map((span, at) => ({ ...span, by: kept[at]! })),
  );
}

/** Places are looked for in well-formed texts alone. */
function demandJson(text: string): void {
  const masker = new JsonMasker(undefined, undefined);
  masker.push(Buffer.from(text));
  masker.end();
  if (text.trim() === '') throw unreadable('there is no message of JSON-RPC');
}

function shownOne(text: string, sight: RpcSight): string | undefined {
  const members = membersOf(text, { start: 0, end: text.length });
  const version = only(members, 'jsonrpc');
  if (members === undefined || version === undefined || stringAt(text, version) !== '2.0')
    throw unreadable('what it says is no message of JSON-RPC 2.0');
  // Of two members of one name nobody knows which is heard.
  if (new Set(members.map(({ name }) => name.toLowerCase())).size < members.length)
    throw unreadable('a message of JSON-RPC has a member twice');
  const method = only(members, 'method');
  const id = only(members, 'id');
  if (method === undefined) return answer(text, members, id, sight);
  const name = stringAt(text, method) ?? '';
  const params = only(members, 'params');
  if (id !== undefined) return question(text, name, id, sight) ? text : undefined;
  return notification(text, name, params, sight);
}

/** What the server asks is shown to who may answer it. */
function question(text: string, method: string, id: Span, sight: RpcSight): boolean {
  const known = idAt(text, id);
  const shown =
    known !== undefined && isServerMethod(method) && sight.may(verbOfAnswer(method), 'McpMethod', method);
  if (shown) sight.questioned(known, method);
  else sight.withheld(`what the target asked: ${isServerMethod(method) ? method : 'an unknown method'}`);
  return shown;
}

function notification(
  text: string,
  method: string,
  params: Span | undefined,
  sight: RpcSight,
): string | undefined {
  if (method === 'notifications/resources/updated') {
    const named = only(params && membersOf(text, params), 'uri');
    const uri = named && stringAt(text, named);
    if (uri !== undefined && sight.may('mcp.read', 'McpResource', uri)) return text;
    sight.withheld('the news of a resource');
    return undefined;
  }
  // What a server logs, or says of a task, may be of any tool.
  const fields = sight.masked([]);
  if (fields === undefined || params === undefined) return text;
  const masker = new ResultMasker(fields);
  const values = membersOf(text, params)?.map(({ value }) => value) ?? [params];
  const edits = values.flatMap((value) => masker.value(text, value));
  sight.hid(masker.maskedValues);
  return edited(text, edits);
}

function answer(text: string, members: readonly Member[], id: Span | undefined, sight: RpcSight): string {
  const known = id && idAt(text, id);
  const asked = known === undefined ? [] : sight.asked(known);
  const fields = sight.masked(asked.map((one) => one.result));
  const [error, result] = [only(members, 'error'), only(members, 'result')];
  if ((error === undefined) === (result === undefined))
    throw unreadable('a message of JSON-RPC has neither a method nor one answer');
  if (known !== undefined) sight.answered(known, failureOf(text, error, result));
  const masker = fields && new ResultMasker(fields);
  if (error !== undefined) return withError(text, error, masker, sight);
  const kept = questionsIn(text, result!).filter((name) => !sight.may('mcp.answer', 'McpMethod', name));
  if (kept.length > 0) {
    sight.withheld(`what the target asked: ${kept.join(', ')}`);
    return refusal(text, id);
  }
  const lists = asked.length === 0 || !asked.every(isCall);
  const listed = lists ? edited(text, listEdits(text, result!, sight)) : text;
  if (masker === undefined) return listed;
  const shown = membersOf(listed, { start: 0, end: listed.length }) ?? [];
  const edits = shown.flatMap(({ name, value }) =>
    name === 'result' ? masker.result(listed, value) : masker.value(listed, value),
  );
  sight.hid(masker.maskedValues);
  return edited(listed, edits);
}

/** Its result may have members of any name, lists of tools too. */
function isCall({ method }: Sent): boolean {
  return method === 'tools/call';
}

function failureOf(text: string, error: Span | undefined, result: Span | undefined): string | undefined {
  const code = error && only(membersOf(text, error), 'code');
  if (error !== undefined)
    return code === undefined ? 'error' : text.slice(code.start, code.end).slice(0, 16);
  const failed = result && only(membersOf(text, result), 'isError');
  return failed !== undefined && text.startsWith('true', failed.start) ? 'isError' : undefined;
}

function withError(text: string, error: Span, masker: ResultMasker | undefined, sight: RpcSight): string {
  if (masker === undefined) return text;
  const edits = (membersOf(text, error) ?? []).flatMap(({ value }) => masker.value(text, value));
  sight.hid(masker.maskedValues);
  return edited(text, edits);
}

/** What a server asks in a result, since 2026-07-28. @see SEP-2322 */
function questionsIn(text: string, result: Span): readonly string[] {
  const requests = membersOf(text, result)?.filter(({ name }) => name === 'inputRequests') ?? [];
  return requests.flatMap(({ value }) =>
    (membersOf(text, value) ?? []).map((one) => {
      const method = only(membersOf(text, one.value), 'method');
      return (method && stringAt(text, method)) ?? '';
    }),
  );
}

/** Of a question that may not be answered, nothing is shown: without it the client would ask again and again. */
function refusal(text: string, id: Span | undefined): string {
  const message = 'the target asks for what you may not answer';
  const known = id === undefined ? 'null' : text.slice(id.start, id.end);
  return errorMessage(known, { code: NOT_PERMITTED, message, data: { retryable: false } });
}

/** Lists of what may be asked for, whatever was asked: by which verb each of them is, and where it stands. */
const LISTS: Readonly<Record<string, readonly [verb: string, type: ListedType, name: string]>> = {
  tools: ['mcp.call', 'McpTool', 'name'],
  prompts: ['mcp.prompt', 'McpPrompt', 'name'],
  resources: ['mcp.read', 'McpResource', 'uri'],
  resourceTemplates: ['mcp.read', 'McpResource', 'uriTemplate'],
};
type ListedType = 'McpTool' | 'McpPrompt' | 'McpResource';

function listEdits(text: string, result: Span, sight: RpcSight): readonly Edit[] {
  return (membersOf(text, result) ?? []).flatMap(({ name, value }) => {
    const list = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
    const elements = list && elementsOf(text, value);
    if (list === undefined || elements === undefined) return [];
    const [verb, type, member] = list;
    const kept = elements.filter((one) => {
      const named = only(membersOf(text, one), member);
      const said = named && stringAt(text, named);
      return said !== undefined && sight.may(verb, type, said);
    });
    if (kept.length === elements.length) return [];
    sight.withheld(`${elements.length - kept.length} of the ${name}`);
    return [{ ...value, by: `[${kept.map(({ start, end }) => text.slice(start, end)).join(',')}]` }];
  });
}
