import { IPERF3_KEYS, Iperf3Output } from './iperf3-output.ts';
import { readStrictJson } from './strict-json.ts';
import { type JsonDocument, readTolerantJson, type TolerantJson } from './tolerant-json.ts';

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

/** What is read of the output; an event of `--json-stream` has `event` and `data`. */
const READ_KEYS: ReadonlySet<string> = new Set([...IPERF3_KEYS, 'error', 'event', 'data']);

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

/** Output of a test that went well is plain JSON. Where a key may be doubled, or there may be several documents, all of it is looked at. */
const readJson = (stdout: string): TolerantJson => {
  const value = readStrictJson(stdout);
  if (value === null || 'error' in value || 'event' in value) return readTolerantJson(stdout, READ_KEYS);
  const intact = { outside: '', not_numbers: 0, truncated: false, damaged: false, excess: false };
  return { documents: [{ value, doubled: [] }], ...intact };
};

/** Reads iperf3's stdout. Never throws; `warnings` says what was wrong with the text. */
export const readIperf3Text = (stdout: string): Iperf3Text => {
  const { documents, outside, not_numbers, truncated, damaged, excess } = readJson(stdout);
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
  if (excess) warnings.push('the JSON is far larger than what iperf3 prints, the rest of it was skipped');
  const { end } = chosen;
  const cutOff = truncated || end === undefined;
  if (cutOff) warnings.push('the output is cut off');
  const errors = documents.flatMap(errorsOf);
  return {
    output: Iperf3Output.parse(chosen),
    intact: !damaged && !excess && !cutOff && not_numbers === 0,
    errors: errors
      .filter((error) => error !== undefined && error !== null)
      .slice(0, MAX_ERRORS)
      .map(asText),
    outside,
    warnings,
  };
};
