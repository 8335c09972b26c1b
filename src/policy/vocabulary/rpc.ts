import type { PolicyObject } from '../model.ts';
import type { ContextKind, VerbRow } from './row.ts';

/** Where it is asked for: the path of the request, so that a rule on a path meets what its messages ask too. */
const PLACE = 'path: String, segments: Set<String>, depth: Long';

/** What messages of JSON-RPC ask for, on the routes that speak it. */
export const RPC_ENTITIES = `
// A method of JSON-RPC by its name, on a route that is configured to have it.
entity RpcMethod in [Endpoint] = { ${PLACE}, name: String };
// A method of the Model Context Protocol that is about no tool, prompt or resource; and what a server asks of its client.
entity McpMethod in [Endpoint] = { ${PLACE}, name: String };
// By its name as the server reads it, and in lower case, for rules that forbid.
entity McpTool in [Endpoint] = { ${PLACE}, name: String, folded: String };
entity McpPrompt in [Endpoint] = { ${PLACE}, name: String, folded: String };
// What the Model Context Protocol calls a resource.
entity McpResource in [Endpoint] = { ${PLACE}, uri: String, scheme: String };
`;

/** Each lies in the group `http`, so that a rule on all that HTTP does holds for messages as well. */
export const RPC_GROUPS = { rpc: 'http', mcp: 'rpc' } as const;

/** Without these no client gets as far as to ask for anything, and nobody's data is read or changed by them. */
const PLAIN =
  /^(?:initialize|ping|server\/discover|(?:tools|prompts|resources|resources\/templates)\/list|notifications\/(?:initialized|cancelled|progress))$/;

const isPlain = ({ attrs }: PolicyObject) => PLAIN.test(String(attrs['name']));

/** @param context Facts of the request that holds the message. */
export function rpcVerbs(context: ContextKind): VerbRow[] {
  return [
    { verb: 'rpc.call', group: 'rpc', on: ['RpcMethod'], context },
    { verb: 'mcp.use', group: 'mcp', on: ['McpMethod'], context, always: isPlain },
    { verb: 'mcp.call', group: 'mcp', on: ['McpTool'], context },
    { verb: 'mcp.prompt', group: 'mcp', on: ['McpPrompt'], context, reads: true },
    { verb: 'mcp.read', group: 'mcp', on: ['McpResource'], context, reads: true },
    // What a server asks of its client: sampling, elicitation, roots.
    { verb: 'mcp.answer', group: 'mcp', on: ['McpMethod'], context },
  ];
}
