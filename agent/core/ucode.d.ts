/**
 * ucode's builtins, as far as the portable part uses them. The openwrt host has them in the interpreter, Node gets them from
 * `hosts/node/builtins.ts`. Lengths and offsets of strings count bytes in ucode and UTF-16 units in Node, except `length`: bytes in both.
 */
declare function length(value: string | readonly unknown[]): number;
declare function push<T>(list: T[], ...items: T[]): T;
declare function filter<T>(list: readonly T[], keep: (item: T, index: number) => boolean): T[];
declare function map<T, R>(list: readonly T[], turn: (item: T, index: number) => R): R[];
declare function slice<T>(list: readonly T[], start: number, end?: number): T[];
declare function join(separator: string, list: readonly string[]): string;
declare function type(value: unknown): 'array' | 'object' | 'string' | 'int' | 'double' | 'bool' | 'function' | null;
/** The match and its groups, as many as the pattern has, or null. POSIX extended regular expressions: no `(?:`, no `\d`. */
declare function match(text: string, pattern: RegExp): [string, string, string] | null;
declare function replace(text: string, pattern: RegExp, replacement: string): string;
declare function split(text: string, separator: string): string[];
declare function index(text: string, part: string): number;
declare function substr(text: string, offset: number, count?: number): string;
declare function ord(text: string, offset: number): number;
declare function lc(text: string): string;
/** Parses JSON; raises an exception when it is none. */
declare function json(text: string): unknown;
declare function int(value: number | string): number;
declare function min(...values: number[]): number;
declare function max(...values: number[]): number;
/** `%J` is the value as JSON. */
declare function sprintf(format: '%J', value: unknown): string;
