import type { ClientHelp } from './half.ts';

export const HTTP_HELP: ClientHelp = {
  variables: 'NO_PROXY',
  remark: 'An HTTP API is called by the URL of its resource, API_PROD_URL, as any other.',
  socket: 'curl --unix-socket DIRECTORY/http.80.sock http://localhost/',
  examples: {
    command: 'hoopctl connect api-prod -- sh -c \'curl "$API_PROD_URL/orders"\'',
    ask: "hoopctl approval request api-prod -c 'DELETE /orders/42' --reason 'ticket 4711'",
    explain: "hoopctl policy explain api-prod -c 'DELETE /orders/42'",
    socket: 'hoopctl connect api-prod --socket ~/.hoop/api',
  },
};
