/** Lets work be overtaken by bad news: `race()` rejects when the signal is aborted or `fail()` is called first. */
export const unlessStopped = (signal: AbortSignal) => {
  const { promise, reject } = withReject();
  if (signal.aborted) reject(new Error('interrupted'));
  signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  return { fail: reject, race: <T>(work: Promise<T>): Promise<T> => Promise.race([work, promise]) };
};

/** `Promise.withResolvers` comes with Node 22. */
const withReject = () => {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  promise.catch(() => {});
  return { promise, reject };
};
