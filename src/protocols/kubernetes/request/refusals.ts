import type { Refusal } from '../../../enforcement/operation.ts';
import type { RefusalRule } from '../../../enforcement/refusals.ts';

/**
 * The words by which a request is refused, whatever policy permits, beside those of HTTP. Part of the contract: what is here
 * keeps its meaning. `docs/refusals.md` is made from it.
 */
export const KUBERNETES_REFUSALS = {
  'k8s-shape': {
    means: 'The path or the method is none by which a cluster is asked for objects, or an old form of one.',
    instead: 'Ask as kubectl does: /api/v1/namespaces/app/pods, with ?watch=true to watch.',
    next: 'correct',
  },
  'k8s-query': {
    means: 'A parameter is there twice, or servers could read its value in two ways.',
    instead: 'Send each parameter once: watch=true, dryRun=All.',
    next: 'correct',
  },
  'k8s-body': {
    means:
      'The body of what is created, updated, patched or deleted cannot be read, and rules may ask what is in it.',
    instead:
      'Send JSON of at most 3 MiB; YAML of at most 64 KiB without anchors, tags and words such as yes; or, for the server’s own kinds, protobuf.',
    next: 'correct',
  },
  'k8s-stream': {
    means:
      'A connection would carry something else than exec, attach or port-forward, or by a protocol that is not carried.',
    instead:
      'Take kubectl of 1.27 or later: v5.channel.k8s.io or v4.channel.k8s.io over a WebSocket, or SPDY/3.1.',
    next: 'correct',
  },
  'k8s-masked-written': {
    means:
      'What would be written holds a mask, `***` or base64 of it, in place of the value that was masked for you.',
    instead:
      'Leave out what is masked: change what else you want by kubectl patch, label, annotate, scale or set, or write the values.',
    next: 'leave-out',
  },
  'k8s-masked-asked': {
    means:
      'Values are masked for you there, and the request would tell of them by what it selects, compares or copies.',
    instead:
      'Select by metadata.name or labels; patch by merge, or by the operations add, replace and remove alone.',
    next: 'leave-out',
  },
} as const satisfies Readonly<Record<string, RefusalRule>>;

type KubernetesRule = keyof typeof KUBERNETES_REFUSALS;

/** A request that goes nowhere, and why. */
export type KubernetesRefusal = Refusal<KubernetesRule>;

/** What to do is the rule's own word. Never throws. @param reason What is wrong with this request, for who sent it. */
export function refused(rule: KubernetesRule, reason: string): KubernetesRefusal {
  const { instead } = KUBERNETES_REFUSALS[rule];
  const hint = `${instead.charAt(0).toLowerCase()}${instead.slice(1, -1)}`;
  return {
    code: rule === 'k8s-query' || rule === 'k8s-body' ? 'ERR_SYNTAX' : 'ERR_DENIED',
    rule,
    reason,
    hint,
  };
}
