import type { Log } from '../../broker/log.ts';

export interface LogLine {
  level: keyof Log;
  fields: Record<string, unknown>;
  message: string;
}

/** A log that keeps its lines for a test to read. */
export class RecordedLog implements Log {
  readonly lines: LogLine[] = [];

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message);
  }

  /** The lines of one level. */
  of(level: keyof Log): LogLine[] {
    return this.lines.filter((line) => line.level === level);
  }

  #keep(level: keyof Log, fields: object, message: string): void {
    this.lines.push({ level, fields: { ...fields }, message });
  }
}
