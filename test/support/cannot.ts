/**
 * For `describe.skipIf` and `test.skipIf`: says on stderr what is not tested on this machine, and why. CI counts it as a
 * failure.
 *
 * @param why What is not tested, and what it lacks.
 */
export function cannot(why: string, unable: boolean): boolean {
  if (unable) process.stderr.write(`not tested here: ${why}\n`);
  return unable;
}
