/** So many specs that fail are no accident of their neighbours. */
const MOST = 5;

/**
 * For a step that runs Jest. Specs run side by side, with servers and processes of their own; where a small machine is late by
 * that, the last word is had by those specs run again, one at a time, by a command that takes more of Jest's arguments.
 */
export const again = (command) => (output) => {
  const files = [...new Set(Array.from(output.matchAll(/^FAIL (\S+)/gm), ([, file]) => file))];
  return files.length > 0 && files.length <= MOST ? [...command(), '--runInBand', ...files] : undefined;
};
