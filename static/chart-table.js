// The charts' data: what stands in the page's tables and lists, read and never kept twice.

const number = (text) => {
  const value = Number.parseFloat(text.replaceAll(",", ""));
  return Number.isFinite(value) ? value : null;
};

const seconds = (time) => Date.parse(time.dateTime || time.textContent.replace(" ", "T")) / 1000;

const bound = (text) => (text ? Number(text) : null);

// readMarks lists the events to draw over a chart.
const readMarks = (list) =>
  [...(list?.children ?? [])].map((item) => {
    const [at, until] = item.querySelectorAll("time");
    return {
      at: seconds(at),
      until: until && seconds(until),
      tone: item.className,
      label: item.querySelector(".mark-label").textContent,
      url: item.querySelector("a")?.href,
    };
  });

const readSeries = (head, column) => ({
  label: head.textContent,
  role: head.dataset.role,
  ink: Number(head.className.match(/ink-(\d)/)[1]),
  column,
});

// read returns what a figure shows; cell gives the text of a series' value as it stands in
// the table, with every digit.
export const read = (figure) => {
  const { chart, table: tableID, marks, columns, from, to, low, high, unit } = figure.dataset;
  const table = document.getElementById(tableID);
  if (!table) return null;
  const rows = [...table.tBodies[0].rows];
  const heads = table.tHead.rows[1].cells;
  const series = columns.split(" ").map((column) => readSeries(heads[column - 1], Number(column)));
  return {
    bars: chart === "bars",
    title: figure.querySelector(".chart-title").firstChild.textContent,
    unit,
    series,
    x: rows.map((row) => seconds(row.cells[0].firstElementChild)),
    names: rows.map((row) => row.cells[0].textContent),
    values: series.map(({ column }) => rows.map((row) => number(row.cells[column].textContent))),
    cell: (s, row) => rows[row].cells[s.column].textContent,
    from: bound(from),
    to: bound(to),
    low: bound(low),
    high: bound(high),
    limits: [...figure.querySelectorAll("[data-limit]")].map((item) => ({
      at: Number(item.dataset.limit),
      tone: item.classList.item(1),
    })),
    marks: readMarks(document.getElementById(marks)),
  };
};
