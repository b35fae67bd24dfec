"use strict";

// Charts: data and what is particular come from the element after each, the look from the page's own colours.
(() => {
  const root = document.documentElement;
  const charts = [...document.querySelectorAll(".chart")];

  const look = (layout) => {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const changes = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      "font.color": colour("--text"),
      "hoverlabel.bgcolor": colour("--raised"),
      "hoverlabel.font.color": colour("--text"),
      "modebar.bgcolor": "rgba(0,0,0,0)",
      "modebar.color": colour("--faint"),
      "modebar.activecolor": colour("--text"),
    };
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      changes[`${axis}.gridcolor`] = colour("--line");
      changes[`${axis}.zerolinecolor`] = colour("--line");
      changes[`${axis}.linecolor`] = colour("--line");
    }
    return changes;
  };

  const draw = async (chart) => {
    const { data, layout } = JSON.parse(chart.nextElementSibling.textContent);
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      layout[axis].automargin = true;
      layout[axis].rangeslider = axis.startsWith("x") ? { visible: false } : undefined;
    }
    layout.font = { family: "system-ui, sans-serif", size: 12 };
    layout.legend = { orientation: "h", y: -0.15, yanchor: "top" };
    layout.margin = { l: 48, r: 12, t: 32, b: 40 };
    layout.hovermode = "closest";
    layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
    await Plotly.newPlot(chart, data, layout, { responsive: true, displaylogo: false, plotlyServerURL: "" });
    await Plotly.relayout(chart, look(layout));
  };

  const fail = (chart, error) => {
    chart.classList.add("failed");
    chart.textContent = `This chart could not be drawn: ${error}`;
  };

  const drawn = charts.map((chart) => draw(chart).then(() => true, (error) => (fail(chart, error), false)));
  // For whoever looks at the page with a program: how many charts there are, once all are drawn.
  Promise.all(drawn).then((all) => {
    root.dataset.charts = all.every(Boolean) ? `drawn ${all.length}` : "failed";
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of charts.filter((chart) => chart.layout)) {
      Plotly.relayout(chart, look(chart.layout));
    }
  });
})();

// Tables: a heading sorts by its column, and again the other way round. What has no value stays at the end.
(() => {
  const key = (cell) => cell.dataset.key ?? cell.textContent;

  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? (a < b ? -1 : Number(a > b)) : x - y;
  };

  const sort = (table, heading) => {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) {
      other.removeAttribute("aria-sort");
    }
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: key(row.cells[heading.cellIndex]) }));
    rows.sort((a, b) => {
      if (a.key === "" || b.key === "") {
        return Number(a.key === "") - Number(b.key === "");
      }
      return ascending ? compare(a.key, b.key) : compare(b.key, a.key);
    });
    body.append(...rows.map(({ row }) => row));
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    for (const heading of table.tHead.rows[0].cells) {
      heading.querySelector("button").addEventListener("click", () => sort(table, heading));
    }
  }
})();
