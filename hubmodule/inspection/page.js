"use strict";

// Copies the code that a button names, and says so, also to screen readers: they read the label of
// the button, which stays.
const announcement = document.createElement("p");
announcement.className = "announcement";
announcement.setAttribute("role", "status");
document.body.append(announcement);
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const code = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // Where a page may not use the clipboard, what is selected can still be copied.
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.textContent = announcement.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy";
      announcement.textContent = "";
    }, 2000);
  });
}

// Shows only the variables whose names contain what was typed.
const filter = document.getElementById("filter");
if (filter) {
  const rows = [...document.querySelectorAll("#variables tbody tr")];
  const shown = document.getElementById("shown");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${rows.length} variables`;
  });
}
