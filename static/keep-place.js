// Rows that a poll adds to a list do not move the row that somebody reads.
import { onSwap, swaps } from "./polls.js";

const rows = "tbody tr[id]";

// readRow finds the row that the reader is at, with the keyboard, a selection or the pointer;
// else, where the list's top is out of sight, the first one that is in sight.
const readRow = (list) => {
  const selection = getSelection();
  const marked = selection.isCollapsed ? null : selection.anchorNode;
  for (const element of [document.activeElement, marked, list.querySelector(`${rows}:hover`)]) {
    const row = (element?.closest ? element : element?.parentElement)?.closest(rows);
    if (row && list.contains(row)) return row;
  }
  const all = [...list.querySelectorAll(rows)];
  if (!all.length || all[0].getBoundingClientRect().top >= 0) return null;
  return all.find((row) => row.getBoundingClientRect().top >= 0);
};

export const start = () => {
  document.addEventListener("htmx:before:swap", (event) => {
    if (!swaps(event)) return;
    const { ctx, tasks } = event.detail;
    for (const { target } of tasks) {
      const row = target?.querySelector?.(rows) && readRow(target);
      if (row) ctx.reading = { id: row.id, top: row.getBoundingClientRect().top };
    }
  });
  onSwap((event) => {
    const reading = event.detail?.ctx?.reading;
    const row = reading && document.getElementById(reading.id);
    if (row) window.scrollBy({ top: row.getBoundingClientRect().top - reading.top, behavior: "instant" });
  });
};
