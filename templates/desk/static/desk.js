// Everything works without this: it warns of typed text that would be lost, and says when a case has changed.
"use strict";

let typed = false;
for (const form of document.querySelectorAll("form[data-keep]")) {
  form.addEventListener("input", () => { typed = true; });
  form.addEventListener("submit", () => { typed = false; });
}
addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });

const news = document.getElementById("news");
if (news) {
  const source = new EventSource(news.dataset.news);
  source.addEventListener("news", (event) => {
    news.lastElementChild.textContent = event.data;
    news.hidden = false;
    source.close();
  });
}
const problem = document.getElementById("problem");
if (problem) {
  problem.tabIndex = -1;
  problem.focus();
}
