// One drawing: uPlot over a figure's data, with limits, marks and a read-out at the cursor.
/* global uPlot */
import { spacing, times, values, width } from "./chart-axis.js";
import { read } from "./chart-table.js";
import { exactly } from "./times.js";

const fontPixels = 11;
const dashes = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
const limitDash = [5, 4];
const pageSteps = 10;
const labelPixels = 60; // of the widest label of a time, half of which may stand out
const pointPixels = 10; // across the point at the cursor, its rim included
const tipGap = 12; // pixels between the cursor and its read-out

// inks reads the colours that the style sheet gives to names, as canvas needs them.
const inks = (host) => {
  const probe = host.appendChild(document.createElement("span"));
  const known = new Map();
  const of = (name) => {
    if (!known.has(name)) {
      probe.style.color = `var(--${name})`;
      known.set(name, getComputedStyle(probe).color);
    }
    return known.get(name);
  };
  return { of, forget: () => known.clear() };
};

// isolated lists the values that stand alone between gaps and would not be seen in a line.
const isolated = (plot, index) => {
  const list = plot.data[index];
  const alone = list.flatMap((v, i) => (v !== null && (list[i - 1] ?? null) === null && (list[i + 1] ?? null) === null ? [i] : []));
  return alone.length ? alone : null;
};

const element = (name, className, text = "") => {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
};

export class Plot {
  constructor(figure) {
    this.figure = figure;
    this.host = figure.querySelector(".chart-plot");
    this.ink = inks(this.host);
    this.data = read(figure);
    this.plot = new uPlot(this.options(), this.columns(), this.host);
    this.tip = this.plot.over.appendChild(element("div", "chart-tip"));
    this.tip.hidden = true;
    this.marks = this.plot.over.insertBefore(element("div", "chart-flags"), this.plot.over.firstChild);
    this.marks.setAttribute("aria-hidden", "true");
    // The list above the drawing holds the links; these are a second way to them for a mouse.
    this.marks.onclick = ({ target }) => {
      if (target.dataset.href) location.assign(target.dataset.href);
    };
    this.drawn = this.shape();
    this.beReadable();
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.host);
    this.placeMarks();
  }

  // shape is what of a figure a drawing cannot change: with another, it is made anew.
  shape() {
    return JSON.stringify([this.data.bars, this.data.series, this.figure.dataset.table]);
  }

  columns() {
    const { x, values: columns } = this.data;
    return [x, ...columns];
  }

  // update draws what the table says now; false: that needs another drawing.
  update() {
    const data = read(this.figure);
    if (!data) return false;
    this.data = data;
    if (this.shape() !== this.drawn) return false;
    this.plot.setData(this.columns());
    this.placeMarks();
    return true;
  }

  recolour() {
    this.ink.forget();
    this.plot.redraw(); // with its paths: bars keep their colour in them
  }

  resize() {
    const { clientWidth, clientHeight } = this.host;
    if (!clientWidth || !clientHeight) return;
    if (clientWidth !== this.plot.width || clientHeight !== this.plot.height) {
      this.plot.setSize({ width: clientWidth, height: clientHeight });
      this.placeMarks();
    }
  }

  destroy() {
    this.watcher.disconnect();
    this.plot.destroy();
    this.host.replaceChildren();
  }

  options() {
    const font = `${fontPixels}px ${getComputedStyle(this.host).fontFamily}`;
    const axis = {
      font,
      stroke: () => this.ink.of("muted"),
      grid: { stroke: () => this.ink.of("line"), width: 1 },
      ticks: { show: false },
      gap: 6,
    };
    return {
      width: this.host.clientWidth,
      height: this.host.clientHeight,
      legend: { show: false },
      padding: [10, this.data.bars ? 8 : labelPixels / 2, 0, 0],
      cursor: {
        y: false,
        move: (plot, left, top) => [left < 0 || !this.data.x.length ? left : this.left(plot.posToIdx(left)), top],
        // Over a mark, too, the cursor follows the mouse.
        bind: { mousemove: (plot, target, follow) => (event) => follow(event) },
        drag: { x: false, y: false, setScale: false },
        sync: { key: this.figure.dataset.table, scales: ["x", null] },
        points: {
          show: (plot, i) => (this.data.bars || this.data.series[i - 1].role !== "line" ? null : element("div", "chart-point")),
          size: () => pointPixels,
          fill: (plot, i) => this.ink.of(`ink-${this.data.series[i - 1].ink}`),
          stroke: () => this.ink.of("surface"),
        },
      },
      scales: {
        x: this.data.bars ? { time: false, distr: 2, range: (plot, low, high) => [low - 0.5, high + 0.5] } : { time: true, range: (plot, low, high) => [this.data.from ?? low, this.data.to ?? high] },
        y: { range: (plot, low, high) => this.range(low, high) },
      },
      axes: [
        this.data.bars ? { ...axis, values: (plot, splits) => splits.map((at) => this.names(at)), space: 48, size: 28, grid: { show: false } } : { ...axis, values: times, space: spacing, size: 28, grid: { show: false } },
        { ...axis, values, size: width, space: 30 },
      ],
      series: [{}, ...this.data.series.map((s, i) => this.series(s, i))],
      bands: this.data.series.flatMap((s, i) => (s.role === "high" ? [{ series: [i + 1, i], fill: () => this.soft(s.ink) }] : [])),
      hooks: { draw: [(plot) => this.drawLimits(plot)], setCursor: [(plot) => this.readOut(plot)], setSize: [() => this.marks && this.placeMarks()] },
    };
  }

  names(at) {
    return this.data.names[this.data.x.indexOf(at)] ?? "";
  }

  soft(ink) {
    return this.ink.of(`ink-${ink}-soft`);
  }

  series({ role, ink }) {
    const colour = () => this.ink.of(`ink-${ink}`);
    if (role !== "line") return { stroke: () => "transparent", width: 0, points: { show: false, filter: () => null } };
    if (this.data.bars) return { stroke: colour, fill: colour, width: 0, paths: uPlot.paths.bars({ size: [0.72, 34], radius: 0.18 }), points: { show: false } };
    return { stroke: colour, width: 1.75, dash: dashes[ink - 1], points: { show: false, filter: isolated, size: 4, fill: colour } };
  }

  // range covers the values, the limits, and what the figure asks for.
  range(low, high) {
    const seen = [low, high, this.data.low, this.data.high, ...this.data.limits.map((l) => l.at)].filter((v) => v !== null && Number.isFinite(v));
    if (!seen.length) return [0, 1];
    const [least, most] = [Math.min(...seen), Math.max(...seen)];
    if (least === most) return [least === this.data.low ? least : least - 1, most + 1];
    const room = (most - least) * 0.06;
    return [least === this.data.low ? least : least - room, most === this.data.high ? most : most + room];
  }

  drawLimits(plot) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.lineWidth = 1.5 * scale;
    ctx.setLineDash(limitDash.map((d) => d * scale));
    for (const { at, tone } of this.data.limits) {
      const y = Math.round(plot.valToPos(at, "y", true)) + 0.5;
      ctx.strokeStyle = this.ink.of(tone);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  // placeMarks puts the events where they belong on the axis, over the drawing.
  placeMarks() {
    const { x } = this.plot.scales;
    const end = this.plot.over.clientWidth;
    const flags = this.data.marks.flatMap(({ at, until, tone, label, url }) => {
      if (this.data.bars || (until ?? at) < x.min || at > x.max) return [];
      const left = Math.max(this.plot.valToPos(at, "x"), 0);
      const flag = element("span", `${until === undefined ? "chart-flag" : "chart-stretch"} ${tone}`);
      flag.style.left = `${left}px`;
      if (until !== undefined) flag.style.width = `${Math.max(Math.min(this.plot.valToPos(until, "x"), end) - left, 2)}px`;
      flag.title = label;
      if (url) flag.dataset.href = url;
      return [flag];
    });
    this.marks.replaceChildren(...flags);
  }

  // readOut shows the values at the cursor, as the table has them.
  readOut(plot) {
    const { idx, left } = plot.cursor;
    const shown = idx !== null && idx !== undefined && left >= 0 && idx < this.data.x.length;
    this.tip.hidden = !shown;
    if (!shown) return;
    const pointed = this.host.matches(":hover, :focus") || this.touched;
    this.tip.replaceChildren(...this.lines(idx, pointed).map(([className, text]) => element("div", className, text)));
    this.placeTip(this.left(idx));
    this.tell(idx);
  }

  // placeTip puts the read-out beside the cursor, on the side where there is more room.
  placeTip(at) {
    const { clientWidth: room, offsetLeft: before } = this.plot.over;
    const wide = this.tip.offsetWidth;
    const beside = at > room / 2 ? at - wide - tipGap : at + tipGap;
    this.tip.style.left = `${Math.max(Math.min(beside, this.host.clientWidth - before - wide), -before)}px`;
  }

  // tell says a point to who cannot see the drawing.
  tell(idx) {
    this.host.setAttribute("aria-valuemax", this.data.x.length - 1);
    this.host.setAttribute("aria-valuenow", idx);
    this.host.setAttribute("aria-valuetext", this.lines(idx, true).map(([, text]) => text).join(", "));
  }

  // lines are the texts of a read-out, with the class of each. Of charts that share a
  // cursor only the one that is pointed at says the time.
  lines(idx, timed) {
    const { series, values: columns } = this.data;
    const time = timed ? this.time(idx) : [];
    if (columns.every((column) => column[idx] === null)) return [...time, ["tip-none", "no reading"]];
    return [...time, ...series.flatMap((s, i) => this.reading(s, series[i + 1], idx))];
  }

  time(idx) {
    const { bars, names, x } = this.data;
    if (bars) return [["tip-time", names[idx]]];
    const [local, utc] = exactly(x[idx] * 1000);
    return [["tip-time", local], ["tip-utc", utc]];
  }

  // reading is a series' value, of a band both in one.
  reading(s, next, idx) {
    const { series, cell, unit } = this.data;
    const end = unit ? `\u00a0${unit}` : "";
    if (s.role === "high") return [];
    if (s.role === "low" && cell(s, idx) === cell(next, idx)) return [];
    if (s.role === "low") return [[`tip-value tip-band ink-${s.ink}`, `${cell(s, idx)} to ${cell(next, idx)}${end}`]];
    return [[`tip-value ink-${s.ink}`, `${series.length > 1 ? `${s.label} ` : ""}${cell(s, idx)}${end}`]];
  }

  // beReadable makes the points of the drawing reachable without a mouse: a slider over them.
  beReadable() {
    const { host, plot } = this;
    const attributes = { role: "slider", tabindex: 0, "aria-label": `${this.data.title}, point by point`, "aria-valuemin": 0 };
    for (const [name, value] of Object.entries(attributes)) host.setAttribute(name, value);
    this.tell(this.data.x.length - 1);
    host.onkeydown = (event) => {
      if (this.move(event)) event.preventDefault();
    };
    plot.over.onpointerleave = () => {
      this.touched = false;
    };
    host.onblur = () => this.rest();
    plot.over.onpointermove = (event) => {
      this.touched = event.pointerType !== "mouse";
      if (!this.touched) return;
      const box = plot.over.getBoundingClientRect();
      plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top }, true, true);
    };
  }

  // move follows a key; false: the key is not the chart's.
  move({ key, shiftKey }) {
    const last = this.data.x.length - 1;
    const now = this.plot.cursor.left >= 0 ? (this.plot.cursor.idx ?? last) : null;
    const step = shiftKey ? pageSteps : 1;
    switch (key) {
      case "ArrowLeft":
      case "ArrowDown":
        return this.point(now === null ? last : now - step);
      case "ArrowRight":
      case "ArrowUp":
        return this.point(now === null ? last : now + step);
      case "PageUp":
        return this.point((now ?? last) + pageSteps);
      case "PageDown":
        return this.point((now ?? last) - pageSteps);
      case "Home":
        return this.point(0);
      case "End":
        return this.point(last);
      case "Escape":
        return this.rest();
      default:
        return false;
    }
  }

  // left is where a row of the table stands, in pixels from the axis.
  left(idx) {
    const { bars, x } = this.data;
    return this.plot.valToPos(bars ? idx : x[idx], "x");
  }

  // point puts the cursor on a row of the table, the nearest that there is.
  point(row) {
    const idx = Math.min(Math.max(row, 0), this.data.x.length - 1);
    this.plot.setCursor({ left: this.left(idx), top: this.plot.over.clientHeight / 2 }, true, true);
    return true;
  }

  // rest takes the cursor away.
  rest() {
    this.plot.setCursor({ left: -10, top: -10 }, true, true);
    return true;
  }
}
