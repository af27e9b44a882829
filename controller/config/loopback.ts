const LOOPBACK = /^(127\.|::1$|localhost$)/;

/** Whether a host is reached from its own machine only. IPv6 without brackets. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);
