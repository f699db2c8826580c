"use strict";
// Everything shown comes from the JSON in the page; texts of users become text nodes, never markup.
const report = JSON.parse(document.getElementById("data").textContent);
const colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
const symbols = ["circle", "square", "triangle-up", "diamond", "cross", "x", "star", "circle-open", "square-open", "diamond-open"];
const barColours = ["#0072B2", "#E69F00", "#000000", "#56B4E9", "#D55E00"];
const barWidths = [12, 8, 4];
const plotHeight = 480;  // px, without a legend below
const mostBeside = 14;   // names in a legend beside the plot
const paperWidth = 700;  // px of A4 within its margins; page.css has it too
const dashes = ["solid", "dash", "dot", "dashdot"];

function element(tag, text, parent, className) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  if (parent) parent.appendChild(made);
  return made;
}

function shown(value, column) {
  if (value === null || value === undefined || value === "") return "–";
  if (column.kind === "integer") return Number(value).toLocaleString("en-US");
  if (column.kind === "number") return Number(value).toPrecision(4).replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1");
  return String(value);
}

const missing = x => x === null || x === undefined || x === "";

const compare = (a, b) => {
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
};

function addTable(table, parent) {
  const most = 200;
  if (table.title) element("h3", table.title, parent);
  if (table.note) element("p", table.note, parent, "note");
  const scroll = element("div", null, parent, "scroll");
  const grid = element("table", null, scroll);
  const head = element("tr", null, element("thead", null, grid));
  const body = element("tbody", null, grid);
  let rows = table.rows.slice();
  let all = rows.length <= most;
  const empty = table.columns.map((_, i) => table.rows.every(row => missing(row[i])));
  const classOf = i => [table.columns[i].kind === "text" ? "" : "number", table.columns[i].long ? "long" : "", empty[i] ? "empty" : ""].join(" ").trim();
  const fill = () => {
    body.replaceChildren();
    for (const row of all ? rows : rows.slice(0, most)) {
      const line = element("tr", null, body);
      row.forEach((cell, i) => element("td", shown(cell, table.columns[i]), line, classOf(i)));
    }
  };
  table.columns.forEach((column, i) => {
    const cell = element("th", column.name, head, empty[i] ? "empty" : "");
    cell.tabIndex = 0;
    const sort = () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of head.children) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((a, b) => {
        const order = compare(a[i], b[i]);
        return down && !missing(a[i]) && !missing(b[i]) ? -order : order;  // what is missing stays last
      });
      fill();
    };
    cell.onclick = sort;
    cell.onkeydown = event => { if (event.key === "Enter") sort(); };
  });
  if (!all) {
    const tools = element("div", null, parent, "tools");
    const some = element("p", `${most} of ${rows.length} rows are shown.`, parent, "note");
    const more = element("button", `show all ${rows.length} rows`, tools);
    more.onclick = () => { all = true; more.remove(); some.remove(); fill(); };
  }
  fill();
}

function traceOf(series, number) {
  const [colourNumber, mark, dash] = series.style || [number, number, Math.floor(number / symbols.length)];
  const colour = colours[colourNumber % colours.length];
  const trace = { type: "scatter", name: series.name, x: series.x, y: series.y, text: series.text,
    hovertemplate: "%{text}<br>%{x:.6g}, %{y:.6g}<extra>" + series.name.replace(/[<>&%{}]/g, " ") + "</extra>" };
  if (series.text.length === 0) delete trace.text, trace.hovertemplate = trace.hovertemplate.replace("%{text}<br>", "");
  const many = series.x.length > 200;
  switch (series.look) {
    case "points_and_line":
      return { ...trace, mode: "lines+markers", line: { color: colour, width: 1.5, dash: dashes[dash % dashes.length] },
        marker: { symbol: symbols[mark % symbols.length], size: 8, color: colour } };
    case "points":
      return { ...trace, mode: "markers", marker: { symbol: symbols[mark % symbols.length], size: many ? 4 : 8, color: colour } };
    case "line":
      return { ...trace, mode: "lines+markers", line: { color: colour, width: 1.5, dash: dashes[dash % dashes.length] },
        marker: { symbol: symbols[mark % symbols.length], size: 8, color: colour, maxdisplayed: 8 } };
    case "segments":
      return { ...trace, mode: "lines", line: { color: barColours[number % barColours.length], width: barWidths[number % barWidths.length] } };
    case "band":
      return { ...trace, mode: "lines", line: { color: "#BBBBBB", width: 7 } };
    case "area":
      return { ...trace, mode: "none", fill: "toself", fillcolor: colour + "33", showlegend: false, hoverinfo: "skip" };
    case "contour":
      return { ...trace, mode: "lines", showlegend: false, line: { color: "#888888", width: 1 } };
    case "backdrop":
      return { ...trace, mode: "markers", marker: { symbol: "circle-open", size: 9, color: "#999999" } };
    default:
      return { ...trace, mode: "lines", line: { color: "#000000", width: 1.5, dash: "dash" } };
  }
}

function axisOf(axis) {
  const made = { title: { text: axis.label.replace(/[<>&]/g, " ") }, type: axis.logarithmic ? "log" : "linear", gridcolor: "#E4E4E4",
    zeroline: false, showline: true, linecolor: "#444", ticks: "outside", exponentformat: "power", automargin: true };
  if (axis.logarithmic) made.dtick = undefined, made.nticks = 8;
  if (axis.categories.length > 0) Object.assign(made, { tickvals: axis.categories.map((_, i) => i), ticktext: axis.categories, autorange: "reversed" });
  return made;
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

const namedSeries = figure => figure.series.filter(series => series.name !== "" && series.look !== "contour");

// A legend of many names stands below the plot, in as many columns as the width takes, and the plot grows by its rows.
function legendOf(figure, width) {
  const named = namedSeries(figure);
  const longest = Math.max(0, ...named.map(series => series.name.length));
  const entry = 50 + 6.6 * longest;
  if (named.length <= mostBeside && entry < width / 3) return { height: plotHeight, legend: { font: { size: 11 } } };
  const rows = Math.ceil(named.length / Math.max(1, Math.floor((width - 110) / entry)));
  return { height: plotHeight + 20 * rows,
    legend: { font: { size: 11 }, orientation: "h", entrywidth: entry - 40, y: -70 / (plotHeight - 100), yanchor: "top", x: 0 } };
}

function addFigure(figure, parent) {
  const box = element("div", null, parent, "figure");
  element("h3", figure.title, box);
  if (figure.note) element("p", figure.note, box, "note");
  const tools = element("div", null, box, "tools");
  const plot = element("div", null, box, "plot");
  plot.id = figure.name;
  let number = 0;
  const traces = figure.series.map(series => traceOf(series, ["band", "law", "backdrop", "contour"].includes(series.look) ? 0 : series.look === "area" ? number : number++));
  const sized = legendOf(figure, plot.clientWidth);
  plot.style.height = sized.height + "px";
  const layout = { xaxis: axisOf(figure.x), yaxis: axisOf(figure.y), margin: { l: 70, r: 20, t: 36, b: 60 }, paper_bgcolor: "#fff", plot_bgcolor: "#fff",
    font: { family: "DejaVu Sans, sans-serif", size: 13 }, legend: sized.legend, showlegend: figure.series.length > 1, hovermode: "closest" };
  if (figure.x.data) {
    layout.shapes = [{ type: "rect", xref: "x", yref: "paper", x0: figure.x.data[1], x1: Math.max(...figure.series.flatMap(series => series.x)), y0: 0, y1: 1,
      fillcolor: "#EEEEEE", line: { width: 0 }, layer: "below" }];
  }
  plot.resizeTo = width => {
    const now = legendOf(figure, width);
    plot.style.height = now.height + "px";
    Plotly.relayout(plot, { width, height: now.height, legend: now.legend });
  };
  Plotly.newPlot(plot, traces, layout, { responsive: true, displaylogo: false });
  for (const name of ["x", "y"]) {
    if (figure[name].categories.length > 0 || !figure[name].positive) continue;
    const button = element("button", `${name}: linear / logarithmic`, tools);
    button.onclick = () => {
      const key = name + "axis";
      Plotly.relayout(plot, { [key + ".type"]: plot.layout[key].type === "log" ? "linear" : "log", [key + ".autorange"]: true });
    };
  }
  element("button", "data as CSV", tools).onclick = () => download(figure.name + ".csv", figure.csv);
}

function addSection(section) {
  const box = element("section", null, document.getElementById("content"));
  box.id = section.id;
  element("h2", section.title, box);
  const link = element("a", section.title, document.querySelector("nav"));
  link.href = "#" + section.id;
  for (const note of section.notes) element("p", note, box, "note");
  for (const warning of section.warnings) element("p", warning, box, "warning");
  for (const table of section.tables) addTable(table, box);
  for (const figure of section.figures) addFigure(figure, box);
  for (const text of section.texts) element("pre", text, box);
  if (section.samples.length > 0) {
    const samples = element("div", null, box, "samples");
    for (const sample of section.samples) {
      const figure = element("figure", null, samples);
      const image = element("img", null, figure);
      image.src = sample.image;
      image.alt = sample.caption;
      element("figcaption", sample.caption, figure);
    }
  }
}

document.querySelector("h1").textContent = report.title;
document.title = report.title;
document.getElementById("subtitle").textContent = report.subtitle;
report.sections.forEach(addSection);
window.addEventListener("beforeprint", () => document.querySelectorAll(".plot").forEach(plot => plot.resizeTo(paperWidth)));
window.addEventListener("afterprint", () => document.querySelectorAll(".plot").forEach(plot => plot.resizeTo(plot.parentElement.clientWidth)));
document.body.dataset.ready = "yes";
