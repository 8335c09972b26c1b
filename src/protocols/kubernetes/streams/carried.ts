import type { Turns } from '../../../core/turns.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import type { Carried, CarriedEnds, Carrying, Handshake } from '../../http/relay/upgrade/carried.ts';
import { WebSocketHandshake } from '../../http/relay/upgrade/websocket/handshake.ts';
import type { AskedUpgrade } from '../../http/request/fields/upgrade.ts';
import { isRefused } from '../../http/request/refusals.ts';
import { streamOf } from '../meaning.ts';
import { type KubernetesRefusal, refused } from '../request/refusals.ts';
import type { AskedStream } from '../request/stream.ts';
import { CommandRelay } from './command-relay.ts';
import { ForwardRelay } from './forward-relay.ts';
import { SpdyHandshake } from './spdy-handshake.ts';
import { SpdyChannels } from './spdy-side.ts';
import { TunnelStream } from './tunnel-stream.ts';
import { WebSocketChannels } from './websocket-side.ts';

/** Subprotocols by which what runs in a container is carried over a WebSocket, with their versions. */
const OVER_WEBSOCKET: ReadonlyMap<string, 4 | 5> = new Map([
  ['v5.channel.k8s.io', 5],
  ['v4.channel.k8s.io', 4],
]);

/** SPDY/3.1 in the messages of a WebSocket. */
const TUNNEL = 'SPDY/3.1+portforward.k8s.io';
/** What is spoken over SPDY/3.1, by what is done. */
const OVER_SPDY: Readonly<Record<string, string>> = {
  'k8s.exec': 'v4.channel.k8s.io',
  'k8s.attach': 'v4.channel.k8s.io',
  'k8s.port-forward': 'portforward.k8s.io',
};

/** What connections to a cluster may be upgraded to: streams into pods, and nothing else. */
export function clusterStreams(turns: Turns): ReadonlyMap<string, Carried> {
  const websocket: Carried = {
    protocol: 'websocket',
    begin(asked, request): Handshake | Refusal {
      const read = streamOf(request);
      if (read !== undefined && isRefused(read)) return read;
      if (read === undefined) return notCarried();
      if (read.action === 'k8s.port-forward') return forwardOverWebSocket(asked, turns);
      const subprotocols = asked.subprotocols.filter((one) => OVER_WEBSOCKET.has(one));
      if (subprotocols.length === 0) return notCarried();
      return commandOverWebSocket({ ...asked, subprotocols }, read.stream, turns);
    },
  };
  const spdy: Carried = {
    protocol: 'spdy/3.1',
    begin({ subprotocols }, request): Handshake | Refusal {
      const read = streamOf(request);
      if (read !== undefined && isRefused(read)) return read;
      const spoken = read && OVER_SPDY[read.action];
      if (read === undefined || spoken === undefined || !subprotocols.includes(spoken)) return notCarried();
      return new SpdyHandshake(spoken, (ends, on) => {
        if (read.action === 'k8s.port-forward') return new ForwardRelay(ends, on, turns).run();
        const client = new SpdyChannels('client', ends.client);
        const target = new SpdyChannels('target', ends.target);
        return new CommandRelay({ client, target }, on, read.stream, turns).run();
      });
    },
  };
  return new Map([websocket, spdy].map((one) => [one.protocol, one]));
}

function commandOverWebSocket(asked: AskedUpgrade, stream: AskedStream, turns: Turns): Handshake {
  const carry = (ends: CarriedEnds, on: Carrying, subprotocol = '') => {
    const version = OVER_WEBSOCKET.get(subprotocol) ?? 4;
    const client = new WebSocketChannels('client', ends.client, version);
    const target = new WebSocketChannels('target', ends.target, version);
    return new CommandRelay({ client, target }, on, stream, turns).run();
  };
  return new WebSocketHandshake(asked, carry, 'channels');
}

function forwardOverWebSocket(asked: AskedUpgrade, turns: Turns): Handshake | Refusal {
  if (!asked.subprotocols.includes(TUNNEL)) return notCarried();
  const carry = ({ client, target }: CarriedEnds, on: Carrying) => {
    const ends = { client: new TunnelStream('client', client), target: new TunnelStream('target', target) };
    return new ForwardRelay(ends, on, turns).run();
  };
  return new WebSocketHandshake({ ...asked, subprotocols: [TUNNEL] }, carry, 'channels');
}

function notCarried(): KubernetesRefusal {
  return refused('k8s-stream', 'what is asked for over this connection is not carried');
}
