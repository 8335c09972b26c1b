/** What a tunnel in the background tells the process that starts it, until it is ready. Nothing is told after that. */
export type FromTunnel =
  | { readonly kind: 'said'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly kind: 'ready' };

/** Names the tunnel to the process that is to be it; its presence makes it so. */
export const TUNNEL_VARIABLE = 'HOOPCTL_TUNNEL';
