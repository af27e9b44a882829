/** How many bytes the character at `at` has, 0 when it is none (RFC 3629). `byteAt` is 0 behind the end. */
export const utf8Size = (byteAt: (at: number) => number, at: number): number => {
  const first = byteAt(at);
  if (first < 128) return 1;
  const size = first < 194 || first > 244 ? 0 : first < 224 ? 2 : first < 240 ? 3 : 4;
  const low = first === 224 ? 160 : first === 240 ? 144 : 128;
  const high = first === 237 ? 159 : first === 244 ? 143 : 191;
  const second = byteAt(at + 1);
  if (size === 0 || second < low || second > high) return 0;
  for (let i = 2; i < size; i++) if (byteAt(at + i) < 128 || byteAt(at + i) > 191) return 0;
  return size;
};

/** The text with "?" for each byte that is not UTF-8: nobody could read a message with it. */
export const asUtf8 = (text: string): string => {
  if (match(text, regexp('[^ -~\n\r\t]')) == null) return text;
  const parts: string[] = [];
  const at = { start: 0, next: 0 };
  const byteAt = (offset: number): number => ord(text, offset) ?? 0;
  const end = length(text);
  while (at.next < end) {
    const size = utf8Size(byteAt, at.next);
    if (size === 0) {
      push(parts, substr(text, at.start, at.next - at.start));
      at.start = at.next + 1;
    }
    at.next += max(1, size);
  }
  push(parts, substr(text, at.start));
  return join('?', parts);
};
