type Answer = () => void;

/** What is to be done at SIGHUP. */
const all = new Set<Answer>();

const answerAll = (): void => {
  for (const answer of all) answer();
};

/** Has something done at SIGHUP, which then does not end the process: one listener for all, as long as there are any. */
export function atHangup(answer: Answer): void {
  if (all.size === 0) process.on('SIGHUP', answerAll);
  all.add(answer);
}

export function notAtHangup(answer: Answer): void {
  if (all.delete(answer) && all.size === 0) process.off('SIGHUP', answerAll);
}
