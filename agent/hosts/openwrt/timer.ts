/** Calls back once, after `ms`; the returned function cancels it. Of a timer that was not cancelled ucode keeps something for ever. */
export const after = (ms: number, callback: () => void): (() => void) => {
  const timer = { own: null as ReturnType<typeof uloop.timer> | null };
  const cancel = (): void => {
    timer.own?.cancel?.();
    timer.own = null;
  };
  timer.own = uloop.timer(ms, () => {
    cancel();
    callback();
  });
  return cancel;
};

/** Monotonic, in milliseconds. */
export const now = (): number => {
  const time = clock(true);
  return time[0] * 1000 + int(time[1] / 1000000);
};
