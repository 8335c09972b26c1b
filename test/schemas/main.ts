/**
 * `npm run schemas [-- NAME…]`: structure files of well-known applications (`structure.ts`);
 * `npm run schemas -- migrations [NAME…]`: migrations that applications run with their own tools (`migrations.ts`).
 */
if (process.argv[2] === 'migrations') await import('./migrations.ts');
else await import('./structure.ts');
