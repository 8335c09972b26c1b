#!/usr/bin/env node
// Nothing newer than ES2017 here: an old Node must get this far to say in one line that it is too old.
const major = Number(process.versions.node.split('.')[0]);

function fail(text, code) {
  process.stderr.write(`${text}\n`);
  process.exitCode = code;
}

if (major < 24) {
  fail(
    `hoopd needs Node.js 24 or newer; this is ${process.versions.node}; npx hoopd has the one that the package brings`,
    78,
  );
} else {
  import('../dist/hoopd.js').then(
    (hoopd) => hoopd.run(process.argv),
    (error) => {
      const unbuilt = error.code === 'ERR_MODULE_NOT_FOUND' && /dist.hoopd\.js/.test(error.message);
      fail(unbuilt ? 'hoopd is not built yet: npm run build' : `hoopd cannot start: ${error.message}`, 70);
    },
  );
}
