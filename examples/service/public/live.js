// Keeps the numbers of the index page up to date.
const cells = document.querySelectorAll('[data-metric]');

async function update() {
  const response = await fetch('/api/metrics');
  if (!response.ok) return;
  const metrics = await response.json();
  for (const cell of cells) {
    const value = cell.dataset.metric.split('.').reduce((part, name) => part?.[name], metrics);
    cell.textContent = value ?? '–';
  }
}

async function live() {
  // A service that is down for a moment is asked again.
  await update().catch(() => undefined);
  setTimeout(live, document.hidden ? 10_000 : 2_000);
}

void live();
