import type { ClientHelp } from './half.ts';

export const POSTGRES_HELP: ClientHelp = {
  variables: 'PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, DATABASE_URL',
  remark: 'PGSSLMODE is disable because the local end never leaves this machine; beyond it all is TLS 1.3.',
  socket: 'psql -h DIRECTORY',
  examples: {
    command: "hoopctl connect pg-prod -- psql -c 'select count(*) from orders'",
    ask: "hoopctl approval request pg-prod -c 'delete from orders where id = $1' --param 42 --wait=15m",
    explain: "hoopctl policy explain pg-prod -c 'SELECT email FROM customers'",
    socket: 'hoopctl connect pg-prod --socket ~/.hoop/pg --background && psql -h ~/.hoop/pg',
  },
};
