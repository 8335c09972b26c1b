import type { SessionItem } from '../../api/contract.ts';
import type { PolicyObject } from '../../policy/model.ts';

/** The entity of a configured resource, as the adapters name it too. */
export function resourceObject(name: string, protocol: string): PolicyObject {
  return { type: 'Resource', id: name, attrs: { protocol } };
}

/** A session's recording, below the resource it was made at: rules on the resource reach it. */
export function recordingObject(session: SessionItem): PolicyObject {
  return {
    type: 'Recording',
    id: session.id,
    attrs: { owner: session.person ?? session.actor, resource: session.resource },
    parent: resourceObject(session.resource, session.protocol),
  };
}
