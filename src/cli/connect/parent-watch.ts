/** How often the parent is looked for, ms. */
const LOOK_MS = 1_000;

/**
 * Calls back once when the process that started this one has ended: nobody is left to end us, and nobody would know
 * of the open tunnel. A process that was started by init stays.
 *
 * @param parent The parent's pid as it was when this process began: it may have ended since.
 * @returns A function that stops watching.
 */
export function onParentExit(parent: number, callback: () => void): () => void {
  if (parent === 1) return () => undefined;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}
