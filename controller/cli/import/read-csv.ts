import { parse } from 'csv-parse/sync';
import type { LineProblem } from './line-problems.ts';

export interface CsvRecord {
  /** Where it ends; the first line is 1. */
  line: number;
  /** Without blanks around them. */
  cells: string[];
}

/** What csv-parse gives of each record with `info`. */
interface Informed {
  record: string[];
  info: { lines: number };
}

/** The lines of a CSV text, but empty ones, up to the first with a stray quote: from there on nobody can tell what is meant. */
export const readCsv = (text: string): { records: CsvRecord[]; problem: LineProblem | null } => {
  let wrong = Number.POSITIVE_INFINITY;
  let isOpen = false;
  // CRLF would count twice within quotes.
  const parsed = parse(text.replaceAll(/\r\n?/g, '\n'), {
    bom: true,
    info: true,
    trim: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error?.code === 'CSV_QUOTE_NOT_CLOSED') isOpen = true;
      else wrong = Math.min(wrong, Number(error?.['lines']));
      return undefined;
    },
    // Its types know nothing of `info`.
  }) as unknown as Informed[];
  const records = parsed
    .map(({ record, info }) => ({ line: info.lines, cells: record }))
    .filter(({ line }) => line < wrong);
  // Of a quote that stays open only the end is told: it began after the last good line.
  const line = Number.isFinite(wrong) ? wrong : (records.at(-1)?.line ?? 0) + 1;
  const message =
    'its quotes are not right, and nothing from here on was read: a value with a quote in it stands in quotes, with "" for each';
  return { records, problem: isOpen || Number.isFinite(wrong) ? { line, message } : null };
};
