import type { Failure, FailureClass } from './measurement.ts';

/** Where a text was found. On stderr the same words can mean something else before any stream is connected. */
export type TextSource = 'json' | 'stderr' | 'stderr-before-streams';

interface Row {
  /** Matched against the text without iperf3's prefixes. */
  pattern: RegExp;
  class: FailureClass;
  /** The row counts only for texts from here. */
  only?: TextSource;
  /** iperf3 was ended from outside: the text says nothing about the cause. */
  interrupted?: true;
}

/**
 * iperf3's error texts (src/iperf_error.c, 3.0 to 3.21), then those of the shell and the C library. The first row that matches counts.
 * 3.9 prints no `error`, and a server that is busy or refuses shows only as a failed first message.
 */
const ROWS: readonly Row[] = [
  { pattern: /^unable to connect (to server|stream)/, class: 'unreachable' },
  { pattern: /^unable to .*connection reset by peer/i, class: 'busy', only: 'stderr-before-streams' },
  { pattern: /^unable to .*bad file descriptor/i, class: 'unreachable', only: 'stderr-before-streams' },
  { pattern: /^the server is busy/, class: 'busy' },
  { pattern: /^test authorization failed/, class: 'auth' },
  { pattern: /^total required bandwidth is larger than server limit/, class: 'policy' },
  { pattern: /^client's requested duration exceeds/, class: 'policy' },
  { pattern: /^server test duration expired/, class: 'policy' },
  // Numbers of iperf_api.h: what a client prints that is older than the server whose error it was sent.
  { pattern: /^int_errno=(27|37|160)\b/, class: 'policy' },
  { pattern: /^int_errno=142\b/, class: 'auth' },
  { pattern: /^int_errno=144\b/, class: 'link-lost' },
  { pattern: /^(control|stream) socket has closed unexpectedly/, class: 'link-lost' },
  { pattern: /^unable to (send|receive) (control message|cookie|parameters|results)/, class: 'link-lost' },
  { pattern: /^unable to (write to|read from) (stream|the control) socket/, class: 'link-lost' },
  { pattern: /^unable to accept (stream )?connection/, class: 'link-lost' },
  { pattern: /^idle timeout for receiving data/, class: 'link-lost' },
  { pattern: /^select failed/, class: 'link-lost' },
  { pattern: /^the server has terminated/, class: 'link-lost' },
  // Not iperf3's words, but the SSH driver's.
  { pattern: /^perfleet: the SSH connection to the device was lost/, class: 'link-lost' },
  { pattern: /^the client has terminated/, class: 'local', interrupted: true },
  { pattern: /^received an unknown control message/, class: 'local' },
  { pattern: /^(create new test error|parameter error|unable to create a new stream)/, class: 'local' },
  { pattern: /(unrecognized|unknown|invalid|illegal) option|requires an argument|^usage:/i, class: 'local' },
  {
    pattern: /not found|no such file|enoent|eacces|permission denied|cannot execute|exec format error/i,
    class: 'local',
  },
  { pattern: /shared librar|symbol not found|relocating|cannot allocate memory|can't fork/i, class: 'local' },
  { pattern: /segmentation fault|illegal instruction|bus error|floating point|aborted|core dumped/i, class: 'local' },
  { pattern: /^(killed|terminated)\b/i, class: 'local', interrupted: true },
];

const PREFIX = /^\s*(?:iperf3: )?(?:(?:error|server error|interrupt) - )*/i;
const MAX_MESSAGE = 300;
/** Of stderr so much is looked at: iperf3's own texts are shorter than 1000 characters. */
const MAX_LINES = 200;
const MAX_LINE = 1000;

const RETRYABLE: ReadonlySet<FailureClass> = new Set(['busy', 'unreachable', 'link-lost']);

/** A failure of this class; the class alone decides whether trying again can help. */
export const failure = (failureClass: FailureClass, message: string): Failure => ({
  class: failureClass,
  message: message.trim().slice(0, MAX_MESSAGE),
  retryable: RETRYABLE.has(failureClass),
});

/** A failure and whether iperf3 only reports that it was ended from outside. */
export interface Classified {
  failure: Failure;
  interrupted: boolean;
}

/** Classifies one error text; null if the table does not know it. */
export const classify = (text: string, source: TextSource): Classified | null => {
  const bare = text.replace(PREFIX, '');
  const row = ROWS.find(({ pattern, only }) => (only === undefined || only === source) && pattern.test(bare));
  return row === undefined ? null : { failure: failure(row.class, bare), interrupted: row.interrupted === true };
};

/** The first text that the table knows. An error that it does not know is `local`: the rest of iperf3's errors are about options and sockets. */
export const classifyErrors = (texts: string[]): Classified | null => {
  for (const text of texts) {
    const known = classify(text, 'json');
    if (known !== null) return known;
  }
  const [unknown] = texts;
  return unknown === undefined ? null : { failure: failure('local', unknown.replace(PREFIX, '')), interrupted: false };
};

/** The first line of stderr that tells of a failure: one that the table knows, else one that iperf3 itself calls an error. Warnings are none. */
export const classifyStderr = (stderr: string, source: TextSource): Classified | null => {
  const lines = stderr
    .split('\n', MAX_LINES)
    .map((line) => line.slice(0, MAX_LINE))
    .filter((line) => !/\bwarning\b/i.test(line));
  for (const line of lines) {
    const known = classify(line, source);
    if (known !== null) return known;
  }
  return classifyErrors(lines.filter((line) => /^iperf3: (error|interrupt) - /.test(line)));
};
