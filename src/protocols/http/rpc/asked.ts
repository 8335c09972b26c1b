import { foldedName } from '../../../masking/json/folded-name.ts';
import type { Pair, PolicyObject } from '../../../policy/model.ts';
import { namedObject } from '../entities.ts';
import { readJson } from '../request/body/json.ts';
import { plainNumber } from '../request/body/plain-number.ts';
import { refused } from '../request/refusals.ts';
import { elementsOf, type Member, membersOf, only, type Span, stringAt } from './json-spans.ts';
import type { RpcMessage, RpcRefused } from './message.ts';
import { isClientMethod } from './methods.ts';
import { isPlainUri, isPromptName, isToolName } from './names.ts';
import { rpcRefused } from './refusals.ts';

/** Arguments of one message that rules can ask for. */
const MAX_ARGUMENTS = 4096;
/** Those that are the same among them. */
const MAX_SCALARS = 16 * MAX_ARGUMENTS;
const MAX_VALUE = 256;

/** By what member of `_meta` a message says its version. */
export const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';

/** What one message asks, as policy is asked of it. */
export interface Asked {
  readonly message: RpcMessage;
  readonly pairs: readonly Pair[];
  /** Each scalar once, with the names that lead to it: `$.amount=5`. */
  readonly arguments: readonly string[];
  /** What the arguments are, without their names; numbers in plain form. */
  readonly values: ReadonlySet<string>;
  /** As people read it: `tools/call lookup_customer`. */
  readonly text: string;
  /** By what the members of its result are classified: a tool's name, else the method's. Undefined: nobody knows. */
  readonly result: string | undefined;
  /** Methods of the server's that it may answer; none: it is no answer. */
  readonly answers: readonly string[];
}

/** What a route speaks. `methods` undefined: the Model Context Protocol. */
export interface Dialect {
  readonly methods: ReadonlySet<string> | undefined;
}

/** The path that messages are sent to, as policy knows it, and how a text is cleaned for evidence. */
export interface AskedAt {
  readonly endpoint: PolicyObject;
  readonly clean: (text: string) => string;
}

/**
 * What a request or a notification asks: of MCP the tool, prompt or resource that it names, else its method.
 *
 * Pure, linear in the message.
 *
 * @returns Refused: the method is not described, a name is missing or can be read in two ways, a member has the protocol's
 *   name in other letters, or there are more arguments than rules can look at.
 */
export function askedBy(message: RpcMessage, { methods }: Dialect, at: AskedAt): Asked | RpcRefused {
  const { method } = message;
  if (methods === undefined ? !isClientMethod(method) : !methods.has(method))
    return rpcRefused('rpc-not-described', 'no such method is described there');
  const params = message.params && membersOf(message.text, message.params);
  if (methods === undefined && message.params !== undefined && params === undefined)
    return rpcRefused('rpc-message', 'params are no object');
  if (methods === undefined && hasOtherLetters(message.text, params))
    return rpcRefused('rpc-message', "a member has the protocol's own name in other letters");
  const named = methods === undefined ? namesOf(message, params) : [];
  if ('rule' in named) return named;
  const given = argumentsOf(message, params, methods === undefined);
  if ('rule' in given) return given;
  const pair = ({ verb, type, name }: Name): Pair => ({
    action: verb,
    object: namedObject(at.endpoint, { type, name }, at.clean),
  });
  const own: Name =
    methods === undefined
      ? { verb: 'mcp.use', type: 'McpMethod', name: method }
      : { verb: 'rpc.call', type: 'RpcMethod', name: method };
  const [first] = named;
  const alone = first !== undefined && !BESIDE.has(method);
  const inside = methods === undefined ? answeredIn(message, params) : [];
  return {
    message,
    pairs: [...(alone ? named : [own, ...named]), ...inside].map(pair),
    ...given,
    text: first === undefined ? method : `${method} ${at.clean(first.name)}`,
    result: method.startsWith('tasks/') ? undefined : method === 'tools/call' ? first?.name : method,
    answers: [],
  };
}

/**
 * What an answer of the client's is, to what the server asked.
 *
 * @param methods What was asked under this id: all that it could be.
 */
export function answering(message: RpcMessage, methods: readonly string[], at: AskedAt): Asked {
  const pairs = methods.map((name) => ({
    action: verbOfAnswer(name),
    object: namedObject(at.endpoint, { type: 'McpMethod', name }, at.clean),
  }));
  const text = `answer to ${methods.join(', ')}`;
  return { message, pairs, ...NO_ARGUMENTS, text, result: undefined, answers: methods };
}

/** A client that is asked whether it is there says no more than that. */
export function verbOfAnswer(method: string): string {
  return method === 'ping' ? 'mcp.use' : 'mcp.answer';
}

interface Name {
  readonly verb: string;
  readonly type: Parameters<typeof namedObject>[1]['type'];
  readonly name: string;
}

/** Methods that are asked for by themselves, whatever they name. */
const BESIDE: ReadonlySet<string> = new Set(['completion/complete', 'subscriptions/listen']);

type Params = readonly Member[] | undefined;

/** Members of params that say what a message asks, and of those the ones that have such members. */
const OWN = ['_meta', 'arguments', 'inputResponses', 'name', 'notifications', 'ref', 'uri'];
const OWN_IN: Readonly<Record<string, readonly string[]>> = {
  _meta: [PROTOCOL_VERSION],
  notifications: ['resourceSubscriptions'],
  ref: ['name', 'type', 'uri'],
};

/** Whether a server that does not tell `Arguments` from `arguments` would find what is not looked for here. */
function hasOtherLetters(text: string, members: Params, own: readonly string[] = OWN): boolean {
  return (members ?? []).some(({ name, value }) => {
    if (own.includes(name)) {
      const inside = own === OWN && OWN_IN[name];
      return inside && hasOtherLetters(text, membersOf(text, value), inside);
    }
    return own.some((one) => foldedName(one) === foldedName(name));
  });
}

/** The tools, prompts and resources that a message of MCP names. */
function namesOf({ method, text }: RpcMessage, params: Params): Name[] | RpcRefused {
  const said = (members: Params, name: string) => {
    const span = only(members, name);
    return span && stringAt(text, span);
  };
  switch (method) {
    case 'tools/call':
      return tool(said(params, 'name'));
    case 'prompts/get':
      return prompt(said(params, 'name'));
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return resource(said(params, 'uri'));
    case 'completion/complete': {
      const span = only(params, 'ref');
      const ref = span && membersOf(text, span);
      return said(ref, 'type') === 'ref/prompt'
        ? prompt(said(ref, 'name'))
        : resource(said(ref, 'uri'), true);
    }
    case 'subscriptions/listen':
      return subscribed(text, params);
    default:
      return [];
  }
}

function tool(name: string | undefined): Name[] | RpcRefused {
  if (name === undefined || !isToolName(name))
    return rpcRefused('rpc-name', 'a tool is not called by visible letters of ASCII');
  return [{ verb: 'mcp.call', type: 'McpTool', name }];
}

function prompt(name: string | undefined): Name[] | RpcRefused {
  if (name === undefined || !isPromptName(name))
    return rpcRefused('rpc-name', 'a prompt is not called by a name in its plain form');
  return [{ verb: 'mcp.prompt', type: 'McpPrompt', name }];
}

function resource(uri: string | undefined, template = false): Name[] | RpcRefused {
  if (uri === undefined || !isPlainUri(uri, template))
    return rpcRefused('rpc-name', 'a resource is not called by a URI in its plain form');
  return [{ verb: 'mcp.read', type: 'McpResource', name: uri }];
}

/** What `subscriptions/listen` follows. */
function subscribed(text: string, params: Params): Name[] | RpcRefused {
  const span = only(params, 'notifications');
  const followed = span && only(membersOf(text, span), 'resourceSubscriptions');
  if (followed === undefined) return [];
  const found: Name[] = [];
  for (const one of elementsOf(text, followed) ?? [followed]) {
    const named = resource(stringAt(text, one));
    if ('rule' in named) return named;
    found.push(...named);
  }
  return found;
}

/** Which questions of the server's a request answers that is sent once more with `inputResponses`: by their form. */
function answeredIn({ text }: RpcMessage, params: Params): Name[] {
  const span = only(params, 'inputResponses');
  const found = new Set<string>();
  for (const { value } of (span && membersOf(text, span)) ?? []) {
    const members = membersOf(text, value);
    const has = (name: string) => members?.some((one) => one.name.toLowerCase() === name) === true;
    if (has('action')) found.add('elicitation/create');
    if (has('roots')) found.add('roots/list');
    if (has('role') || has('model') || !(has('action') || has('roots'))) found.add('sampling/createMessage');
  }
  return [...found].map((name) => ({ verb: 'mcp.answer', type: 'McpMethod', name }));
}

const NO_ARGUMENTS: Pick<Asked, 'arguments' | 'values'> = { arguments: [], values: new Set() };

/** Methods whose arguments stand in a member of their own. */
const WITH_ARGUMENTS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get']);

function argumentsOf(
  { method, text, params: whole }: RpcMessage,
  params: Params,
  mcp: boolean,
): Pick<Asked, 'arguments' | 'values'> | RpcRefused {
  const inside = mcp && WITH_ARGUMENTS.has(method);
  const span = inside ? only(params, 'arguments') : whole;
  if (span === undefined) return NO_ARGUMENTS;
  const found = new Set<string>();
  const values = new Set<string>();
  const octets = Buffer.from(text.slice(span.start, span.end));
  let scalars = 0;
  const malformed = readJson(octets, (path, value) => {
    if (mcp && !inside && path[0] === '_meta') return;
    if (++scalars > MAX_SCALARS || found.size > MAX_ARGUMENTS) return;
    const shown = value.kind === 'number' ? plainNumber(value.text) : value.text;
    found.add(shown.length > MAX_VALUE ? `${written(path)}…` : `${written(path)}=${shown}`);
    values.add(shown);
  });
  if (malformed !== undefined) return malformed;
  if (scalars > MAX_SCALARS || found.size > MAX_ARGUMENTS)
    return refused('body-too-large', `a message has more than ${MAX_ARGUMENTS} arguments`);
  return { arguments: [...found], values };
}

/** `$.account.iban`; a name that is no word stands as JSON has it: `$["a.b"]`. */
function written(path: readonly string[]): string {
  const names = path.map((name) =>
    /^[\p{L}\p{N}_$@-]{1,128}$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`,
  );
  return `$${names.join('')}`;
}

/** Where a string of a message stands that names what it is about. */
export function nameOf({ method, text, params }: RpcMessage): string | undefined {
  const span = params && only(membersOf(text, params), method === 'resources/read' ? 'uri' : 'name');
  return span && stringAt(text, span);
}

/** A member of a message's `_meta`. */
export function metaOf({ text, params }: RpcMessage, name: string): Span | undefined {
  const meta = params && only(membersOf(text, params), '_meta');
  return meta && only(membersOf(text, meta), name);
}
