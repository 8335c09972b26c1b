import type { SessionItem } from '../../api/contract.ts';
import type { PolicyObject } from '../../policy/model.ts';
import type { ResourceConfig } from '../config/schema.ts';

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

/** The classified columns of a resource, to ask whether any would be masked. */
export function classifiedColumns(name: string, config: ResourceConfig): PolicyObject[] {
  const resource = resourceObject(name, config.protocol);
  return Object.entries(config.classification.columns).map(([path, tags]) => {
    const [schema = '', table = '', column = ''] = path.split('.');
    return {
      type: 'Column',
      id: `${name}/${path}`,
      attrs: { schema, table, name: column, tags, detected: false },
      parent: {
        type: 'Table',
        id: `${name}/${schema}.${table}`,
        attrs: { schema, name: table, kind: 'table', system: false, sensitive: false, tags },
        parent: { type: 'Schema', id: `${name}/${schema}`, attrs: { name: schema }, parent: resource },
      },
    };
  });
}
