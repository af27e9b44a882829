import type { TestPlan } from '../../broker/contract/messages.ts';
import { each } from '../core/each.ts';
import { field, isList } from '../core/shape.ts';

/**
 * The little that the agent reads of iperf3's output: whether to try again, and what TCP reached. The controller reads the rest.
 */

const parsed = (text: string): unknown => {
  try {
    return json(text);
  } catch (_) {
    return null;
  }
};

/** iperf3's JSON, also behind a warning line, before trailing text or a second document, and with `nan`; null when there is none. */
const readOutput = (stdout: string): unknown => {
  const start = index(stdout, '{');
  if (start < 0) return null;
  const rest = substr(stdout, start);
  const end = index(rest, '\n}');
  const document = end < 0 ? rest : substr(rest, 0, end + 2);
  return parsed(document) ?? parsed(replace(document, /-?nan/g, 'null'));
};

/** A reset of a data stream is another matter: then a test was under way. */
const BUSY_OR_REFUSED =
  /busy running a test|Connection refused|control message: (Connection reset by peer|Bad file descriptor)/;

/**
 * Whether the server was busy or refused, by iperf3's own words: its `error`, and stderr, where 3.9 puts "reset by peer" for busy and
 * "Bad file descriptor" for refused. Only meaningful in the first moments of a test.
 */
export const saysBusyOrRefused = (stdout: string, stderr: string): boolean => {
  const error = field(readOutput(stdout), 'error');
  const said = `${type(error) === 'string' ? error : ''} ${stderr}`;
  return match(said, BUSY_OR_REFUSED) != null;
};

/** TCP goodput in bit/s, null where there is none. */
export interface Figures {
  upload: number | null;
  download: number | null;
}

const rateOf = (received: unknown): number | null => {
  const rate = field(received, 'bits_per_second');
  return (type(rate) === 'int' || type(rate) === 'double') && (rate as number) > 0 ? (rate as number) : null;
};

/** Per direction, what the receivers of the streams counted: before 3.11 the sums of `--bidir` are duplicate keys. */
const bidirFigures = (streams: unknown): Figures => {
  const figures: Figures = { upload: null, download: null };
  each(isList(streams) ? streams : [], (stream) => {
    const receiver = field(stream, 'receiver');
    const rate = rateOf(receiver);
    if (rate == null) return;
    if (field(receiver, 'sender') === true) figures.upload = (figures.upload ?? 0) + rate;
    else figures.download = (figures.download ?? 0) + rate;
  });
  return figures;
};

/** What a TCP test reached, as its receiver counted it; null for a test that failed, and for UDP. */
export const readFigures = (plan: TestPlan, stdout: string): Figures => {
  const output = plan.protocol === 'tcp' ? readOutput(stdout) : null;
  const end = field(output, 'error') == null ? field(output, 'end') : null;
  if (plan.direction === 'bidir') return bidirFigures(field(end, 'streams'));
  const rate = rateOf(field(end, 'sum_received'));
  return plan.direction === 'upload' ? { upload: rate, download: null } : { upload: null, download: rate };
};
