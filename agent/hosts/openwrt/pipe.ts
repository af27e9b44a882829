/** Tells what comes out of a pipe, in pieces as they come, and once that it has ended. */
export function readPipe(file: UcodeFile, onText: (text: string) => void, onEnd: () => void): void {
  const watched = { handle: null as ReturnType<typeof uloop.handle> };
  const onReadable = (): void => {
    watched.handle?.['delete']?.();
    const text = file.read('all') ?? '';
    if (length(text) === 0) {
      onEnd();
    } else {
      onText(text);
      // Anew each time: of a pipe whose other end is closed uloop tells only once, however much is left in it.
      readPipe(file, onText, onEnd);
    }
  };
  watched.handle = uloop.handle(file, onReadable, uloop.ULOOP_READ);
}
