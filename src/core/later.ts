/** A value that is at hand, or on its way. What is at hand needs no turn of the event loop. */
export type Later<T> = T | Promise<T>;

/**
 * Goes on with a value: at once if it is at hand, else when it has come.
 *
 * @returns What `next` returns, at hand if both are. Throws what `next` throws if the value was at hand; a rejection
 *   goes through.
 */
export function after<T, R>(value: Later<T>, next: (value: T) => Later<R>): Later<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs something and makes a value of its failure, whichever way it fails. Throws only what `failed` throws. */
export function rescued<T, F>(run: () => Later<T>, failed: (error: unknown) => F): Later<T | F> {
  try {
    const value = run();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** @returns What `make` gives, made at the first call. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Calls back when the signal is aborted, at once if it is. Never, where there is none. */
export function whenAborted(signal: AbortSignal | undefined, act: (reason: unknown) => void): void {
  if (signal?.aborted === true) act(signal.reason);
  else signal?.addEventListener('abort', () => act(signal.reason), { once: true });
}

/** What comes of work, unless the signal is aborted before: then its reason. The work goes on. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const aborted = () => reject(signal.reason as Error);
  if (signal.aborted) aborted();
  signal.addEventListener('abort', aborted, { once: true });
  work.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener('abort', aborted));
}
