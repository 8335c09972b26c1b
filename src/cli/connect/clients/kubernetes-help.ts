import type { ClientHelp } from './half.ts';

export const KUBERNETES_HELP: ClientHelp = {
  variables: 'KUBECONFIG',
  remark:
    'kubectl, Helm and whatever reads a kubeconfig find the cluster there, each under the name of its resource; they know no sockets.',
  examples: {
    command: 'hoopctl connect k8s-prod -- kubectl get pods',
    ask: "hoopctl approval request k8s-prod -c 'DELETE /api/v1/namespaces/shop/pods/web-1' --reason 'ticket 4711'",
    explain: "hoopctl policy explain k8s-prod -c 'GET /api/v1/namespaces/shop/secrets'",
    socket: 'hoopctl connect k8s-prod --port 6443',
  },
};
