import type { Mask } from '../../../masking/mask.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { Guard } from '../../stream/guard.ts';

/** Whether one session's principal is given pseudonyms, and which. */
export type PseudonymGiver = Pick<Guard, 'mayEver' | 'pseudonyms'>;

const PLACE = { path: '/', segments: [], depth: 0 };
const AT_ENDPOINT = ['http.post', 'http.put', 'http.patch', 'http.connect'];

/**
 * What stands for members and headers that are shown by pseudonyms. Where a value that is sent comes to light again, no path
 * tells: there are none for a principal that may send values at all to this resource, by whatever path.
 *
 * A domain is all that carries the same tags at the resource.
 */
export class FieldPseudonyms {
  readonly #giver: PseudonymGiver;
  readonly #resource: PolicyObject;

  constructor(giver: PseudonymGiver, resource: PolicyObject) {
    this.#giver = giver;
    this.#resource = resource;
  }

  /** As policy is now. @returns The mask of one member or header. */
  of({ attrs }: PolicyObject): Mask {
    const tags = Array.isArray(attrs['tags']) ? attrs['tags'] : [];
    return this.#mayWrite() ? 'redact' : this.#giver.pseudonyms(tags.toSorted().join(' '));
  }

  #mayWrite(): boolean {
    const resource = this.#resource;
    const endpoint = { type: 'Endpoint', id: `${resource.id}/`, attrs: PLACE, parent: resource };
    const below = (type: string, more: object) => ({
      type,
      id: `${endpoint.id}#${type}/`,
      attrs: { ...PLACE, ...more },
      parent: endpoint,
    });
    const method = below('RpcMethod', { name: '' });
    const tool = below('McpTool', { name: '', folded: '' });
    const may = (verb: string, object: PolicyObject) => this.#giver.mayEver(verb, object, 'resource');
    return (
      AT_ENDPOINT.some((verb) => may(verb, endpoint)) || may('rpc.call', method) || may('mcp.call', tool)
    );
  }
}
