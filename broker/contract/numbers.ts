/**
 * Every number of the lease protocol, with its unit and reason. `docs/protocol.md` quotes them; nothing else repeats them.
 * This file is in the portable subset: the agent's core runs in ucode too.
 */

/** The agent accepts a `start` only with a nonce that it sent at most this long ago, by its own monotonic clock. */
export const START_WINDOW_MS = 5000;

/** A prepared agent sends `ready` with a new nonce this often, so that a fresh nonce is always at hand. */
export const READY_INTERVAL_MS = 2500;

/** A `prepare` older than this is forgotten by the agent: nobody waits that long on deck. */
export const PREPARE_TTL_MS = 600000;

/** What a test may take beyond `duration + omit`: connecting, exchanging results, a slow link's last bytes. Then it is killed. */
export const TEST_GRACE_S = 10;

/** What a lease adds to the limits of its tests: the retries in the first moments, spawning, publishing. */
export const LEASE_SLACK_MS = 5000;

/** TERM comes this long before KILL: iperf3 uses it to print what it has. */
export const KILL_AFTER_TERM_MS = 2000;

/** The controller's deadline lies this much beyond the latest moment at which the agent can still be running. */
export const DEADLINE_MARGIN_MS = 1000;

/** A vanished client leaves a server busy for `duration + omit` plus this (iperf3 3.7 and later). */
export const QUARANTINE_S = 40;

/** The controller repeats `start`, byte for byte, this often until it is answered. */
export const START_REPEAT_MS = 1000;

/** The controller repeats `prepare` this often until it is answered. */
export const PREPARE_REPEAT_MS = 2500;

/** How long an agent watches its WAN's counters before it says `ready`, if it is asked to: short beside PREPARE_TIMEOUT_MS. */
export const WAN_LOOK_MS = 2000;

/** A device that has not answered `prepare` for this long is put aside, and the next one is prepared. */
export const PREPARE_TIMEOUT_MS = 10000;

/** A result that was not accepted is sent again after this; the wait doubles each time … */
export const RESEND_FIRST_MS = 60000;

/** … up to this. */
export const RESEND_MAX_MS = 900000;

/** A controller claims `controller/status` and waits this long unopposed before its first grant. */
export const CLAIM_WAIT_MS = 5000;

/** A run whose deadline passed is `overdue` for this long, then `lost`. */
export const OVERDUE_MS = 86400000;

/** Largest MQTT payload, either way. */
export const MAX_PAYLOAD_BYTES = 1048576;

/** Largest packet from a client that has not authenticated yet. */
export const MAX_ANONYMOUS_BYTES = 65536;

/** A server that is busy or refuses in the first moments of a test is tried again after these waits. */
export const RETRY_DELAYS_MS: readonly number[] = [100, 200, 400, 800];

/** `bitrate: "auto"` is this share of the TCP figure measured just before: loaded, not drowned. */
export const AUTO_BITRATE_SHARE = 0.8;

/**
 * The longest that one test may run on the device, from spawn to KILL, in milliseconds.
 * `lease_ms` is the sum of this over the tests, plus LEASE_SLACK_MS.
 */
export const testLimitMs = (duration_s: number, omit_s: number): number => 1000 * (duration_s + omit_s + TEST_GRACE_S);
