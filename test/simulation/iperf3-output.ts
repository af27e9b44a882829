/** What a simulated iperf3 prints: texts of iperf3 3.12, as small as the product's parser takes them. */

const failed = (error: string): string => JSON.stringify({ start: { version: 'iperf 3.12' }, end: {}, error });

export const BUSY = failed('error - the server is busy running a test. try again later');
export const REFUSED = failed('error - unable to connect to server: Connection refused');
export const CLOSED = failed('error - control socket has closed unexpectedly');
export const INTERRUPTED = failed('interrupt - the client has terminated');

/** A TCP test that went well. */
export const measured = (duration_s: number, is_download: boolean): string => {
  const sum = { start: 0, end: duration_s, seconds: duration_s, bytes: 1_250_000 * duration_s, bits_per_second: 1e7 };
  return JSON.stringify({
    start: {
      version: 'iperf 3.12',
      connected: [{}],
      test_start: { protocol: 'TCP', num_streams: 1, duration: duration_s, reverse: is_download ? 1 : 0 },
    },
    intervals: [],
    end: { streams: [], sum_sent: { ...sum, retransmits: 0 }, sum_received: sum },
  });
};
