#!/usr/bin/env node
// Plain old JavaScript, so that an old Node gets as far as this line.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `hoopctl: Node 24 or later is needed, this is ${process.version}\nhint: npx hoopctl has the one that the package brings; without Node: see docs/deploy/README.md\n`,
  );
  process.exit(70);
}
import('../dist/hoopctl.js').then(undefined, (error) => {
  var unbuilt = error.code === 'ERR_MODULE_NOT_FOUND' && /dist.hoopctl\.js/.test(error.message);
  process.stderr.write(
    `hoopctl${unbuilt ? ' is not built yet: npm run build' : ` cannot start: ${error.message}`}\n`,
  );
  process.exitCode = 70;
});
