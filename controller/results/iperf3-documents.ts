import { readIntactJson } from './intact-json.ts';
import { Iperf3Output } from './iperf3-output.ts';
import { type JsonDocument, readTolerantJson } from './tolerant-json.ts';

/** What iperf3 printed on stdout, in one shape for `--json` and `--json-stream`. */
export interface Iperf3Text {
  /** Null when there is no JSON of iperf3's in the text. */
  output: Iperf3Output | null;
  /** Nothing of the JSON is missing. */
  intact: boolean;
  /** The `error` texts in the order of the output; 3.21 has the key twice. */
  errors: string[];
  /** What stands around the JSON. */
  outside: string;
  warnings: string[];
}

/** 3.21 has two; more are not iperf3's. */
const MAX_ERRORS = 10;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isEvent = ({ value: { event } }: JsonDocument): boolean => typeof event === 'string';

const isReport = (document: JsonDocument): boolean => {
  const { start, end } = document.value;
  return !isEvent(document) && (isObject(start) || isObject(end) || 'error' in document.value);
};

/** The events of `--json-stream` (3.17) put together as `--json` would have printed them. */
const reportOfEvents = (events: JsonDocument[]): Record<string, unknown> => {
  const dataOf = (name: string): unknown[] =>
    events.map(({ value }) => value).flatMap(({ event, data }) => (event === name ? [data] : []));
  return { start: dataOf('start')[0], intervals: dataOf('interval'), end: dataOf('end')[0] };
};

const hasSums = ({ end }: Record<string, unknown>): boolean =>
  isObject(end) && Object.keys(end).some((key) => key.startsWith('sum'));

const errorsOf = (document: JsonDocument): unknown[] => {
  const { event, data, error } = document.value;
  if (isEvent(document)) return event === 'error' ? [data] : [];
  return [...document.doubled.filter(({ key }) => key === 'error').map(({ value }) => value), error];
};

const asText = (error: unknown): string => (typeof error === 'string' ? error : JSON.stringify(error));

/** So many texts are remembered: those of one result. */
const MAX_READ = 8;

/** What was read lately: the same text is asked for its figures, and for what it moved. */
const lately = new Map<string, Iperf3Text>();

/** Reads iperf3's stdout. Never throws; `warnings` says what was wrong with the text. What it returns is shared: not to be changed. */
export const readIperf3Text = (stdout: string): Iperf3Text => {
  const known = lately.get(stdout) ?? read(stdout);
  lately.delete(stdout);
  lately.set(stdout, known);
  for (const oldest of lately.keys()) {
    if (lately.size <= MAX_READ) break;
    lately.delete(oldest);
  }
  return known;
};

const read = (stdout: string): Iperf3Text => {
  const { documents, outside, not_numbers, truncated, damaged } = readIntactJson(stdout) ?? readTolerantJson(stdout);
  const events = documents.filter(isEvent);
  const reports = documents.filter(isReport).map((document) => document.value);
  const candidates = events.length > 0 ? [...reports, reportOfEvents(events)] : reports;
  const chosen = candidates.find(hasSums) ?? candidates[0];
  if (chosen === undefined) return { output: null, intact: false, errors: [], outside: stdout, warnings: [] };

  const warnings: string[] = [];
  if (outside.trim() !== '') warnings.push('text around the JSON was ignored');
  if (reports.length > 1) warnings.push(`the JSON occurs ${reports.length} times, one was read`);
  if (not_numbers > 0) warnings.push(`${not_numbers} values are not numbers (nan, inf) and were dropped`);
  if (damaged) warnings.push('the JSON is damaged, what could not be read was skipped');
  const { end } = chosen;
  const cutOff = truncated || end === undefined;
  if (cutOff) warnings.push('the output is cut off');
  const errors = documents.flatMap(errorsOf);
  return {
    output: Iperf3Output.parse(chosen),
    intact: !damaged && !cutOff && not_numbers === 0,
    errors: errors
      .filter((error) => error !== undefined && error !== null)
      .slice(0, MAX_ERRORS)
      .map(asText),
    outside,
    warnings,
  };
};
