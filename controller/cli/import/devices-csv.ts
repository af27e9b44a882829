import { Id } from '../../../broker/contract/messages.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { parseSshAddress, type SshAddress } from '../../config/ssh-address.ts';
import { type ExpectedKey, readExpectedKey } from '../ssh/expected-key.ts';
import type { LineProblem } from './line-problems.ts';
import { type CsvRecord, readCsv } from './read-csv.ts';

const COLUMNS = ['device', 'organization', 'tags', 'uplink_group', 'ssh', 'ssh_credentials', 'host_key'] as const;
type Column = (typeof COLUMNS)[number];

const isColumn = (name: string): name is Column => (COLUMNS as readonly string[]).includes(name);

/** A line of the file. */
export interface DeviceLine {
  line: number;
  device: string;
  organization: string;
  tags: string[];
  uplink_group: string | null;
  ssh: (SshAddress & { credentials: string | null; expected: ExpectedKey | null }) | null;
}

/** A value as a message shows it: cut, harmless on a terminal, and without what may be a password before an `@`. */
const shown = (value: string): string => {
  const open = value.replace(/:[^@]*@/, ':…@').replace(/[\p{Cc}\p{Cf}]/gu, '?');
  return `"${open.length > 60 ? `${open.slice(0, 60)}…` : open}"`;
};

const NAME = '1 to 64 letters, digits, "_" or "-"';
const ADDRESS = 'user@host or user@host:port';
const KEY = 'a public host key (its type, and base64), or SHA256:…';

/** The cells of one line, and what is wrong with them. */
class Cells {
  readonly problems: LineProblem[] = [];
  readonly #line: number;
  readonly #cells: ReadonlyMap<Column, string>;

  constructor(line: number, cells: ReadonlyMap<Column, string>) {
    this.#line = line;
    this.#cells = cells;
  }

  /** Null when it is empty, or there is no such column. */
  text(column: Column): string | null {
    return this.#cells.get(column) || null;
  }

  problem(column: Column, message: string): null {
    this.problems.push({ line: this.#line, message: `${column}: ${message}` });
    return null;
  }

  read<T>(column: Column, parse: (text: string) => T | null, expected: string): T | null {
    const text = this.text(column);
    return text === null ? null : (parse(text) ?? this.problem(column, `${shown(text)}, expected ${expected}`));
  }
}

const readName = (text: string): string | null => Id.safeParse(text).data ?? null;

const readTags = (text: string): string[] | null => {
  const tags = text
    .split(';')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  return tags.every((tag) => readName(tag) !== null) ? tags : null;
};

const readLine = (line: number, cells: Cells): DeviceLine => {
  if (cells.text('device') === null) cells.problem('device', 'it has no name');
  const device = cells.read('device', readName, NAME) ?? '';
  const organization = cells.read('organization', readName, NAME) ?? 'default';
  const tags = cells.read('tags', readTags, 'names with ";" between them') ?? [];
  const uplink_group = cells.read('uplink_group', readName, NAME);
  const address = cells.read('ssh', parseSshAddress, ADDRESS);
  const credentials = cells.read('ssh_credentials', readName, NAME);
  const expected = cells.read('host_key', readExpectedKey, KEY);
  if (cells.text('ssh') === null)
    for (const column of ['ssh_credentials', 'host_key'] as const)
      if (cells.text(column) !== null) cells.problem(column, 'the device has no address in column ssh');
  const ssh = address === null ? null : { ...address, credentials, expected };
  return { line, device, organization, tags, uplink_group, ssh };
};

const headerProblems = (header: readonly string[]): string[] => {
  const problems = header.flatMap((name, index) => {
    if (header.indexOf(name) < index) return `column ${shown(name)} stands there twice`;
    if (isColumn(name)) return [];
    return `unknown column ${shown(name)}, expected some of ${COLUMNS.join(', ')}${hint(name)}`;
  });
  return header.includes('device') ? problems : ['there is no column device', ...problems];
};

const hint = (name: string): string => {
  if (name.includes(';')) return ' (columns are separated by commas)';
  const meant = didYouMean(name, COLUMNS);
  return meant === undefined ? '' : ` (${meant})`;
};

/** Lines whose device stands further up already. */
const repeated = (lines: readonly DeviceLine[]): LineProblem[] => {
  const first = new Map<string, number>();
  return lines.flatMap(({ line, device }) => {
    const before = first.get(device);
    if (before === undefined) first.set(device, line);
    return before === undefined || device === ''
      ? []
      : { line, message: `device: ${device} is in line ${before} already` };
  });
};

/** Cells without a column are a mistake, however many they are; a line may end early. */
const cellsOf = ({ line, cells }: CsvRecord, header: readonly string[]): Cells => {
  const named = cells.slice(0, header.length).map((cell, index) => [header[index] ?? '', cell] as const);
  const read = new Cells(line, new Map(named.filter((pair): pair is [Column, string] => isColumn(pair[0]))));
  if (cells.length > header.length)
    read.problems.push({ line, message: `${cells.length} values for ${header.length} columns` });
  return read;
};

/**
 * The devices in a CSV text (RFC 4180; the first line names the columns, in any order), and everything that is wrong with it. Lines with
 * a problem are among the devices: others may find more.
 */
export const readDevices = (text: string): { devices: DeviceLine[]; problems: LineProblem[] } => {
  const { records, problem } = readCsv(text);
  const problems = problem === null ? [] : [problem];
  const [first, ...rest] = records;
  if (first === undefined)
    return { devices: [], problems: [problem ?? { line: 1, message: 'there is nothing in it' }] };
  const wrong = headerProblems(first.cells).map((message) => ({ line: first.line, message }));
  if (wrong.length > 0) return { devices: [], problems: [...problems, ...wrong] };
  const lines = rest.map((record) => {
    const cells = cellsOf(record, first.cells);
    return { device: readLine(record.line, cells), cells };
  });
  const devices = lines.map(({ device }) => device);
  return { devices, problems: [...problems, ...lines.flatMap(({ cells }) => cells.problems), ...repeated(devices)] };
};
