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
  ssh: (SshAddress & { credentials: string | null }) | null;
  /** What the line says about its host key. */
  expected: ExpectedKey | null;
  /** Whether the controller can be asked about it: what it would look at can be read, and stands nowhere before. */
  isClear: boolean;
}

/** A value as a message shows it: cut, harmless on a terminal, and without what may be a password before an `@`. */
const shown = (value: string): string => {
  const open = value.replace(/:[^@]*@/, ':…@').replace(/[\p{Cc}\p{Cf}]/gu, '?');
  return `"${open.length > 60 ? `${open.slice(0, 60)}…` : open}"`;
};

const NAME = '1 to 64 letters, digits, "_" or "-"';
const ADDRESS = 'user@host or user@host:port';
const KEY = 'a public host key (its type, and base64), or SHA256:…';

/** What the controller can't do without. */
const ESSENTIAL: readonly Column[] = ['device', 'organization', 'ssh', 'ssh_credentials'];

/** The cells of one line, and what is wrong with them. */
class Cells {
  readonly problems: LineProblem[] = [];
  /** None of the essential ones is wrong. */
  isClear = true;
  readonly #line: number;
  readonly #cells: ReadonlyMap<string, string>;

  constructor(line: number, cells: ReadonlyMap<string, string>) {
    this.#line = line;
    this.#cells = cells;
  }

  has(column: Column): boolean {
    return (this.#cells.get(column) ?? '') !== '';
  }

  problem(column: Column, message: string): null {
    this.problems.push({ line: this.#line, message: `${column}: ${message}` });
    if (ESSENTIAL.includes(column)) this.isClear = false;
    return null;
  }

  /** Null when it is empty, wrong, or there is no such column. */
  read<T>(column: Column, parse: (text: string) => T | null, expected: string): T | null {
    const text = this.#cells.get(column) ?? '';
    return text === '' ? null : (parse(text) ?? this.problem(column, `${shown(text)}, expected ${expected}`));
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
  if (!cells.has('device')) cells.problem('device', 'it has no name');
  const device = cells.read('device', readName, NAME) ?? '';
  const organization = cells.read('organization', readName, NAME) ?? 'default';
  const tags = cells.read('tags', readTags, 'names with ";" between them') ?? [];
  const uplink_group = cells.read('uplink_group', readName, NAME);
  const address = cells.read('ssh', parseSshAddress, ADDRESS);
  const credentials = cells.read('ssh_credentials', readName, NAME);
  const expected = cells.read('host_key', readExpectedKey, KEY);
  if (!cells.has('ssh'))
    for (const column of ['ssh_credentials', 'host_key'] as const)
      if (cells.has(column)) cells.problem(column, 'the device has no address in column ssh');
  const ssh = address && { ...address, credentials };
  return { line, device, organization, tags, uplink_group, ssh, expected, isClear: cells.isClear };
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

/** The device of each line whose name can be read, and the line where it stands first. */
const firstLines = (lines: readonly DeviceLine[]): ReadonlyMap<string, number> =>
  new Map(lines.toReversed().map(({ device, line }) => [device, line]));

/** Values beyond the columns are a mistake; a line may end early. */
const cellsOf = ({ line, cells }: CsvRecord, header: readonly string[]): Cells => {
  const read = new Cells(line, new Map(header.map((name, index) => [name, cells[index] ?? ''])));
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
  if (rest.length === 0 && problem === null) problems.push({ line: first.line + 1, message: 'there is no device' });
  const devices: DeviceLine[] = [];
  for (const record of rest) {
    const cells = cellsOf(record, first.cells);
    devices.push(readLine(record.line, cells));
    problems.push(...cells.problems);
  }
  const firsts = firstLines(devices);
  for (const one of devices) {
    const before = firsts.get(one.device);
    if (one.device === '' || before === undefined || before === one.line) continue;
    one.isClear = false;
    problems.push({ line: one.line, message: `device: ${one.device} is in line ${before} already` });
  }
  return { devices, problems };
};
