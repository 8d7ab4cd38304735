// Charts: figure[data-chart] is drawn from the table that it names, and drawn anew when a
// poll has changed that table. A figure that leaves the page takes its drawing with it.
import { Plot } from "./chart-plot.js";
import { onSwap } from "./polls.js";

const plots = new Map();

const drop = (figure) => {
  plots.get(figure).destroy();
  plots.delete(figure);
};

const follow = () => {
  const figures = new Set(document.querySelectorAll("figure[data-chart]"));
  for (const figure of [...plots.keys()]) {
    if (!figures.has(figure) || !plots.get(figure).update()) drop(figure);
  }
  for (const figure of figures) {
    if (!plots.has(figure) && document.getElementById(figure.dataset.table)) plots.set(figure, new Plot(figure));
  }
};

const recolour = () => {
  for (const plot of plots.values()) plot.recolour();
};

onSwap(follow);
document.addEventListener("theme:change", recolour);
for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)", "print"]) {
  matchMedia(query).addEventListener("change", recolour);
}
follow();
