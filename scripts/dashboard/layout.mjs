const WIDTH = 24;

/** Gives panels their places, from left to right and from above, from a line on; and says where the next line is. */
function place(panels, top, nextId) {
  let [x, y, height] = [0, top, 0];
  const placed = panels.map(({ size: [w, h], ...panel }) => {
    if (x + w > WIDTH) [x, y, height] = [0, y + height, 0];
    const gridPos = { h, w, x, y };
    x += w;
    height = Math.max(height, h);
    return { id: nextId(), gridPos, ...panel };
  });
  return { placed, bottom: y + height };
}

/**
 * A dashboard of rows. What Grafana folds up is inside of its row, the rest below it.
 *
 * @param rows each with a title, whether it is open, and panels with their size
 */
export function dashboard(rows, properties) {
  const panels = [];
  let y = 0;
  let id = 0;
  const nextId = () => ++id;
  for (const { title, isOpen, panels: own } of rows) {
    const row = { id: nextId(), type: 'row', title, gridPos: { h: 1, w: WIDTH, x: 0, y } };
    const { placed, bottom } = place(own, y + 1, nextId);
    if (isOpen) panels.push({ ...row, collapsed: false, panels: [] }, ...placed);
    else panels.push({ ...row, collapsed: true, panels: placed });
    y = isOpen ? bottom : y + 1;
  }
  return { ...properties, panels };
}
