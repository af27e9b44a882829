import Table from 'cli-table3';
import type { Context } from './context.ts';
import { harmless, painted } from './terminal-text.ts';

const SIDES = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
] as const;
const RULES = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'] as const;
const NO_LINES = Object.fromEntries([...SIDES, ...RULES].map((place) => [place, '']));

/** A column: its head, which side its cells keep to, and its cell for a row. */
export interface Column<Row> {
  head: string;
  align?: 'left' | 'right';
  cell: (row: Row) => string;
}

/** Rows as aligned text without lines around it; each line ends in a newline. */
export const table = <Row>({ io }: Context, columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const drawn = new Table({
    head: columns.map(({ head }) => painted(head, 'bold', io.stdout, io.env)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: { ...NO_LINES, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) drawn.push(columns.map(({ cell }) => harmless(cell(row))));
  return `${drawn.toString().replace(/[ \t]+$/gm, '')}\n`;
};
