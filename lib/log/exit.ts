type Leave = () => void;

/** What is to be done when the process ends. */
const all = new Set<Leave>();

const leaveAll = (): void => {
  for (const leave of all) leave();
};

/** Has something done at the end of the process, or of this thread: one listener for all, as long as there are any. */
export function atExit(leave: Leave): void {
  if (all.size === 0) process.on('exit', leaveAll);
  all.add(leave);
}

export function notAtExit(leave: Leave): void {
  if (all.delete(leave) && all.size === 0) process.off('exit', leaveAll);
}
