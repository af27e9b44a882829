/** Failures that a server which is down brings about. */
const SERVER_FAULTS: ReadonlySet<string> = new Set(['unreachable', 'link-lost']);

/** Whether the end of a run, or the failure of a test, may be its server's fault. */
export const mayBeServersFault = (reason: string | null): boolean => SERVER_FAULTS.has(reason ?? '');

/**
 * What an attempt says of its server: false when nothing of it got through, true when something did, or when the server refused it by a
 * rule of its own. Null when it says nothing: the device is at fault, or nobody tried.
 */
export const reachedBy = (failures: readonly { class: string }[], measured: boolean): boolean | null => {
  if (measured || failures.some((one) => ['busy', 'auth', 'policy'].includes(one.class))) return true;
  return failures.length > 0 && failures.every((one) => mayBeServersFault(one.class)) ? false : null;
};
