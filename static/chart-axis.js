// What stands at a chart's axes: times in the reader's zone, round numbers.

const minute = 60;
const day = 86_400;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

const isMidnight = (at) => at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;

// times labels the ticks, with the date where a day begins.
export const times = (plot, splits, axis, space, step) =>
  splits.map((second) => {
    const at = new Date(second * 1000);
    if (step >= day || isMidnight(at)) return date.format(at);
    return (step < minute ? clockWithSeconds : clock).format(at);
  });

// spacing is the least distance of two labels of times, in pixels.
export const spacing = 84;

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

export const values = (plot, splits) => splits.map((v) => (v === null ? "" : numbers.format(v)));

// width is what the labels of values take at the left, in pixels.
export const width = (plot, labels) => {
  const longest = (labels ?? []).reduce((a, b) => (b.length > a.length ? b : a), "");
  plot.ctx.save();
  plot.ctx.font = plot.axes[1].font[0];
  const pixels = plot.ctx.measureText(longest).width / devicePixelRatio;
  plot.ctx.restore();
  return Math.ceil(pixels) + 12;
};
