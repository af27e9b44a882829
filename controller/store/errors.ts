import { z } from 'zod';

/**
 * Why the store could not do what it was asked; `message` says what to do about it.
 * `exists`: the device is already registered. `unavailable`: everything else, such as an I/O error or a closed store.
 */
export type StoreErrorKind = 'in-use' | 'read-only' | 'full' | 'corrupt' | 'newer' | 'exists' | 'unavailable';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** What SQLite or the file system may be the cause of. */
type FileErrorKind = Exclude<StoreErrorKind, 'newer' | 'exists'>;

const KIND_OF_CODE: Record<string, FileErrorKind> = {
  SQLITE_BUSY: 'in-use',
  SQLITE_LOCKED: 'in-use',
  SQLITE_READONLY: 'read-only',
  SQLITE_PERM: 'read-only',
  SQLITE_FULL: 'full',
  SQLITE_CORRUPT: 'corrupt',
  SQLITE_NOTADB: 'corrupt',
  Z_DATA: 'corrupt',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  ENOSPC: 'full',
  EDQUOT: 'full',
};

const ADVICE: Record<FileErrorKind, string> = {
  'in-use': 'is in use by another controller: stop that one first, only one may run on a store',
  'read-only': 'cannot be written: check the permissions, and that the file system is not mounted read-only',
  full: 'has no room left: free some disk space',
  corrupt: 'is damaged: stop the controller and restore the file from a backup',
  unavailable: 'cannot be used: check the disk and the system log',
};

/** Extended codes such as SQLITE_IOERR_FSYNC count as their first two words. */
const kindOf = (error: unknown): FileErrorKind => {
  if (error instanceof z.ZodError) return 'corrupt';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return KIND_OF_CODE[code.split('_').slice(0, 2).join('_')] ?? 'unavailable';
};

/** What SQLite, the file system or the parsing of a row threw, as a StoreError about `file`; a StoreError stays as it is. */
export const asStoreError = (error: unknown, file: string): StoreError => {
  if (error instanceof StoreError) return error;
  const kind = kindOf(error);
  const detail = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : error;
  return new StoreError(kind, `The store ${file} ${ADVICE[kind]} (${detail})`, error);
};
