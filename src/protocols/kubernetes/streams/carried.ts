import type { Turns } from '../../../core/turns.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import type { Carried, CarriedEnds, Carrying, Handshake } from '../../http/relay/upgrade/carried.ts';
import { WebSocketHandshake } from '../../http/relay/upgrade/websocket/handshake.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import type { AskedUpgrade } from '../../http/request/fields/upgrade.ts';
import { isRefused } from '../../http/request/refusals.ts';
import { streamOf } from '../meaning.ts';
import { type KubernetesRefusal, refused } from '../request/refusals.ts';
import type { AskedStream } from '../request/stream.ts';
import { CommandHandshake, OVER_WEBSOCKET } from './command-handshake.ts';
import { CommandRelay } from './command-relay.ts';
import { ForwardRelay } from './forward-relay.ts';
import type { Shows } from './held-command.ts';
import { SpdyHandshake } from './spdy-handshake.ts';
import { SpdyChannels } from './spdy-side.ts';
import { TunnelStream } from './tunnel-stream.ts';

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
  const taken = new Set<string>();
  const websocket: Carried = {
    protocol: 'websocket',
    begin(asked, request): Handshake | Refusal {
      const read = streamOf(request);
      if (read !== undefined && isRefused(read)) return read;
      if (read === undefined) return notCarried();
      if (read.action === 'k8s.port-forward') return forwardOverWebSocket(asked, turns);
      const subprotocols = asked.subprotocols.filter((one) => OVER_WEBSOCKET.has(one));
      if (subprotocols.length === 0) return notCarried();
      const { stream } = read;
      const shows = showsOf(request, stream);
      return new CommandHandshake({ ...asked, subprotocols }, { stream, shows, turns, taken });
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

/** Where a client shows what is printed; undefined: nowhere. */
function showsOf({ parameters }: CanonicalRequest, { tty }: AskedStream): Shows | undefined {
  const shows = tty ? 'stdout' : 'stderr';
  return parameters.some(([name, value]) => name === shows && (value === 'true' || value === '1'))
    ? shows
    : undefined;
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
