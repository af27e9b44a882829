import { until } from './until.ts';

/** Pipes are left out: the test runner talks over them. */
const WATCHED = new Set(['TCPServerWrap', 'TCPSocketWrap', 'TLSWrap', 'ProcessWrap']);

/** Waits until this process has no socket, server or child process open; fails with what is left. For `beforeEach` and `afterAll`. */
export const nothingOpen = async (): Promise<void> => {
  const open = () => process.getActiveResourcesInfo().filter((name) => WATCHED.has(name));
  await until('no socket, server or child process is open', () => open().length === 0).catch((error: Error) => {
    throw new Error(`${error.message}: ${open()}`);
  });
};
