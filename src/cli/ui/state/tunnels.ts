/** Keys for tunnels. Pure. */
import type { ResourceItem } from '../../../api/contract.ts';
import type { Step, TunnelState, UiState } from './model.ts';
import { noticed } from './notices.ts';

export function openTunnel(state: UiState, resource: ResourceItem): Step {
  const known = state.tunnels.get(resource.name);
  if (known !== undefined && known.kind !== 'failed')
    return { state: noticed(state, `${resource.name} is open already: x closes it`), effects: [] };
  if (state.connection.kind !== 'online')
    return { state: noticed(state, 'there is no connection to the gateway', 'bad'), effects: [] };
  return {
    state: withTunnel(state, resource.name, { kind: 'opening' }),
    effects: [{ do: 'open-tunnel', resource }],
  };
}

export function closeTunnel(state: UiState, name: string): Step {
  if (!state.tunnels.has(name))
    return { state: noticed(state, `${name} is not open: o opens it`), effects: [] };
  return {
    state: noticed(withTunnel(state, name, undefined), `${name}: the tunnel is closed`),
    effects: [{ do: 'close-tunnel', resource: name }],
  };
}

/** @param what The address in one word, or the lines that a person types. */
export function copyTunnel(state: UiState, name: string, what: 'url' | 'steps'): Step {
  const tunnel = state.tunnels.get(name);
  if (tunnel?.kind !== 'open')
    return { state: noticed(state, `${name} is not open: o opens it`), effects: [] };
  const text = what === 'url' ? tunnel.url : tunnel.steps.join('\n');
  const said = what === 'url' ? 'connection string copied' : 'commands copied';
  return { state: noticed(state, said, 'good'), effects: [{ do: 'copy', text }] };
}

/** What became of a tunnel. One that was closed meanwhile stays closed. */
export function onTunnel(state: UiState, name: string, tunnel: TunnelState | undefined): UiState {
  if (!state.tunnels.has(name)) return state;
  const next = withTunnel(state, name, tunnel);
  switch (tunnel?.kind) {
    case 'open':
      return state.tunnels.get(name)?.kind === 'open'
        ? next
        : noticed(next, `${name} is ready on ${tunnel.where}: c copies the connection string`, 'good');
    case 'waiting':
      return noticed(next, `${name} waits for the approval of ${tunnel.needs}`);
    case 'failed':
      return noticed(next, `${name}: ${tunnel.failure.message}`, 'bad');
    default:
      return next;
  }
}

function withTunnel(state: UiState, name: string, tunnel: TunnelState | undefined): UiState {
  const tunnels = new Map(state.tunnels);
  if (tunnel === undefined) tunnels.delete(name);
  else tunnels.set(name, tunnel);
  return { ...state, tunnels };
}
