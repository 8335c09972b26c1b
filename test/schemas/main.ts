/**
 * `npm run schemas [-- NAME…]`: structure files of well-known applications (`structure.ts`);
 * `npm run schemas -- migrations [NAME…]`: migrations that applications run with their own tools (`migrations.ts`);
 * `npm run schemas -- kubernetes API MACHINERY`: how a cluster's objects are written in protobuf (`kubernetes.ts`).
 */
const [what] = process.argv.slice(2);
if (what === 'migrations') await import('./migrations.ts');
else if (what === 'kubernetes') await import('./kubernetes.ts');
else await import('./structure.ts');
